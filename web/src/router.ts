/** Addresses of the pages, and who may open them. */
import { createRouter, createWebHistory, type RouteLocationNormalized } from "vue-router";
import { ApiError, post } from "./api/client";
import { firstSteps, may, resume, session, type Permission } from "./session";

declare module "vue-router" {
  interface RouteMeta {
    /** Needed to open the page; none means that being logged in is enough. */
    permission?: Permission;
    /** Shown without the frame. */
    bare?: boolean;
  }
}

export type PageName = "overview" | "alerts" | "hunt" | "attack" | "exceptions" | "playbooks" | "incidents" | "notices" | "rules" | "models" | "registry" | "assets" | "checks" | "attestations" | "orders" | "gates" | "keys" | "evidence" | "sensors" | "reports" | "transfers" | "accounts" | "tokens" | "webhooks" | "changes" | "audit";

/** Parts of the navigation in their order; the first page is in none. */
export const navGroups = ["", "respond", "hunt", "assets", "comply", "transfer", "manage"] as const;
export type NavGroup = (typeof navGroups)[number];

/** Pages of the navigation in its order. */
export const pages: readonly { name: PageName; permission: Permission; group: NavGroup }[] = [
  { name: "overview", permission: "overview.read", group: "" },
  { name: "alerts", permission: "alerts.read", group: "respond" },
  { name: "incidents", permission: "incidents.read", group: "respond" },
  { name: "notices", permission: "notices.read", group: "respond" },
  { name: "exceptions", permission: "alerts.read", group: "respond" },
  { name: "playbooks", permission: "alerts.read", group: "respond" },
  { name: "hunt", permission: "events.search", group: "hunt" },
  { name: "attack", permission: "rules.read", group: "hunt" },
  { name: "rules", permission: "rules.read", group: "hunt" },
  { name: "models", permission: "rules.read", group: "hunt" },
  { name: "registry", permission: "registry.read", group: "assets" },
  { name: "assets", permission: "inventory.read", group: "assets" },
  { name: "sensors", permission: "sensors.read", group: "assets" },
  { name: "checks", permission: "checks.read", group: "comply" },
  { name: "attestations", permission: "checks.read", group: "comply" },
  { name: "orders", permission: "checks.read", group: "comply" },
  { name: "gates", permission: "checks.read", group: "comply" },
  { name: "reports", permission: "reports.read", group: "comply" },
  { name: "evidence", permission: "evidence.read", group: "transfer" },
  { name: "transfers", permission: "transfers.read", group: "transfer" },
  { name: "keys", permission: "keys.manage", group: "manage" },
  { name: "accounts", permission: "accounts.read", group: "manage" },
  { name: "tokens", permission: "tokens.read", group: "manage" },
  { name: "webhooks", permission: "webhooks.manage", group: "manage" },
  { name: "changes", permission: "changes.read", group: "manage" },
  { name: "audit", permission: "audit.read", group: "manage" },
];

const permissionOf = Object.fromEntries(pages.map((page) => [page.name, page.permission])) as Record<PageName, Permission>;

export const router = createRouter({
  history: createWebHistory(new URL(document.baseURI).pathname),
  routes: [
    { path: "/login", name: "login", component: () => import("./pages/Login.vue"), meta: { bare: true } },
    { path: "/password", name: "password", component: () => import("./pages/Password.vue"), meta: { bare: true } },
    { path: "/factor", name: "factor", component: () => import("./pages/Factor.vue"), meta: { bare: true } },
    { path: "/setup", name: "setup", component: () => import("./pages/SetUp.vue"), meta: { bare: true } },
    { path: "/unreachable", name: "unreachable", component: () => import("./pages/Unreachable.vue"), meta: { bare: true } },
    { path: "/", name: "overview", component: () => import("./pages/Overview.vue"), meta: { permission: permissionOf.overview } },
    { path: "/alerts/:group?", name: "alerts", component: () => import("./pages/Alerts.vue"), meta: { permission: permissionOf.alerts } },
    { path: "/exceptions/:exception?", name: "exceptions", component: () => import("./pages/Exceptions.vue"), meta: { permission: permissionOf.exceptions } },
    { path: "/playbooks", name: "playbooks", component: () => import("./pages/Playbooks.vue"), meta: { permission: permissionOf.playbooks } },
    { path: "/hunt/:event?", name: "hunt", component: () => import("./pages/Hunt.vue"), meta: { permission: permissionOf.hunt } },
    { path: "/entities/:kind(host|user|address)/:name", name: "entities", component: () => import("./pages/Entity.vue"), meta: { permission: "events.search" } },
    { path: "/attack/:technique?", name: "attack", component: () => import("./pages/Attack.vue"), meta: { permission: permissionOf.attack } },
    { path: "/incidents/:number?", name: "incidents", component: () => import("./pages/Incidents.vue"), meta: { permission: permissionOf.incidents } },
    { path: "/notices/:notice?", name: "notices", component: () => import("./pages/Notices.vue"), meta: { permission: permissionOf.notices } },
    { path: "/rules/:rule?", name: "rules", component: () => import("./pages/Rules.vue"), meta: { permission: permissionOf.rules } },
    { path: "/models", name: "models", component: () => import("./pages/Models.vue"), meta: { permission: permissionOf.models } },
    { path: "/registry/:system?", name: "registry", component: () => import("./pages/Registry.vue"), meta: { permission: permissionOf.registry } },
    { path: "/assets/:unit?/:host?", name: "assets", component: () => import("./pages/Assets.vue"), meta: { permission: permissionOf.assets } },
    { path: "/checks/:check?", name: "checks", component: () => import("./pages/Checks.vue"), meta: { permission: permissionOf.checks } },
    { path: "/attestations/:attestation?", name: "attestations", component: () => import("./pages/Attestations.vue"), meta: { permission: permissionOf.attestations } },
    { path: "/orders/:number?", name: "orders", component: () => import("./pages/Orders.vue"), meta: { permission: permissionOf.orders } },
    { path: "/gates", name: "gates", component: () => import("./pages/Gates.vue"), meta: { permission: permissionOf.gates } },
    { path: "/keys", name: "keys", component: () => import("./pages/Keys.vue"), meta: { permission: permissionOf.keys } },
    { path: "/evidence", name: "evidence", component: () => import("./pages/Evidence.vue"), meta: { permission: permissionOf.evidence } },
    { path: "/sensors/:sensor?", name: "sensors", component: () => import("./pages/Sensors.vue"), meta: { permission: permissionOf.sensors } },
    { path: "/reports/:report?", name: "reports", component: () => import("./pages/Reports.vue"), meta: { permission: permissionOf.reports } },
    { path: "/transfers/:transfer?", name: "transfers", component: () => import("./pages/Transfers.vue"), meta: { permission: permissionOf.transfers } },
    { path: "/accounts", name: "accounts", component: () => import("./pages/Accounts.vue"), meta: { permission: permissionOf.accounts } },
    { path: "/changes", name: "changes", component: () => import("./pages/Changes.vue"), meta: { permission: permissionOf.changes } },
    { path: "/tokens", name: "tokens", component: () => import("./pages/Tokens.vue"), meta: { permission: permissionOf.tokens } },
    { path: "/webhooks", name: "webhooks", component: () => import("./pages/Webhooks.vue"), meta: { permission: permissionOf.webhooks } },
    { path: "/audit", name: "audit", component: () => import("./pages/Audit.vue"), meta: { permission: permissionOf.audit } },
    { path: "/wall", name: "wall", component: () => import("./pages/Wall.vue"), meta: { permission: "wall.read", bare: true } },
    { path: "/forbidden", name: "forbidden", component: () => import("./pages/Forbidden.vue") },
    { path: "/:rest(.*)*", name: "missing", component: () => import("./pages/Missing.vue") },
  ],
});

let resumed = false;

const kioskHash = /^#kiosk=(.+)$/;

/** A screen on the wall brings its token behind the hash: it becomes a cookie and leaves the address. */
async function asKiosk(to: RouteLocationNormalized) {
  try {
    await post("session/kiosk", { token: kioskHash.exec(to.hash)?.[1] ?? "" });
    resumed = false;
    return { name: "wall", query: to.query, replace: true };
  } catch (error) {
    if (error instanceof ApiError && error.status > 0) return { name: "login", query: { kiosk: "refused" }, replace: true };
    return { name: "unreachable", query: { to: to.fullPath } };
  }
}

router.beforeEach(async (to) => {
  if (to.name === "wall" && kioskHash.test(to.hash)) return asKiosk(to);
  if (to.name === "unreachable" || to.name === "setup") return true;
  if (!resumed) {
    try {
      await resume();
      resumed = true;
    } catch {
      return { name: "unreachable", query: { to: to.fullPath } };
    }
  }
  return gate(to);
});

/** Where a person who asks for `to` goes: there, or to what comes before it. */
function gate(to: RouteLocationNormalized) {
  if (to.name === "login") return session.value ? home(to) : true;
  if (!session.value) return { name: "login", query: to.fullPath === "/" ? {} : { to: to.fullPath } };
  const step = firstSteps(session.value);
  if (step && to.name !== step) return { name: step, query: to.query };
  if (!step && to.name === "factor") return home(to);
  if (to.meta.permission && !may(to.meta.permission)) {
    const first = pages.find((page) => may(page.permission));
    return to.name === "overview" && first ? { name: first.name } : { name: "forbidden" };
  }
  return true;
}

/** The page asked for before the login, if it is one of ours, else the first page. */
export function home(from: RouteLocationNormalized) {
  const wanted = from.query.to;
  return typeof wanted === "string" && /^\/(?![/\\])/.test(wanted) ? wanted : "/";
}
