/** Who is logged in, what they may do, and how they come and go. */
import { computed, ref } from "vue";
import { ApiError, get, post, remove, setCsrf } from "./api/client";
import type { FactorOffer, Session } from "./api/types";

/** Permissions as the center names them. */
export type Permission =
  | "overview.read"
  | "wall.read"
  | "alerts.read"
  | "alerts.act"
  | "alerts.share"
  | "exceptions.ask"
  | "exceptions.decide"
  | "packets.read"
  | "events.search"
  | "names.reveal"
  | "rules.read"
  | "rules.decide"
  | "checks.read"
  | "checks.evaluate"
  | "attestations.make"
  | "attestations.review"
  | "gates.ask"
  | "gates.override"
  | "gates.decide"
  | "orders.act"
  | "orders.decide"
  | "incidents.read"
  | "incidents.act"
  | "incidents.decide"
  | "notices.read"
  | "notices.draft"
  | "notices.decide"
  | "notices.answer"
  | "keys.manage"
  | "accounts.read"
  | "accounts.create"
  | "accounts.grant"
  | "tokens.read"
  | "changes.read"
  | "changes.decide"
  | "support.ask"
  | "tokens.make"
  | "kiosks.make"
  | "webhooks.manage"
  | "registry.read"
  | "registry.edit"
  | "inventory.read"
  | "grading.read"
  | "grading.state"
  | "grading.review"
  | "evidence.read"
  | "evidence.verify"
  | "sensors.read"
  | "sensors.manage"
  | "reports.read"
  | "reports.make"
  | "reports.review"
  | "reports.approve"
  | "transfers.read"
  | "transfers.request"
  | "transfers.approve"
  | "transfers.export"
  | "transfers.import"
  | "audit.read";

/** The session, or null where nobody is logged in. */
export const session = ref<Session | null>(null);

const granted = computed(() => new Set(session.value?.permissions ?? []));

/** Whether the person may do this; the center decides again on each request. */
export function may(permission: Permission): boolean {
  return granted.value.has(permission);
}

/** Take up the session of the cookie, if there is one. */
export async function resume(): Promise<void> {
  try {
    accept(await get<Session>("session"));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    forget();
  }
}

/** A challenge signed outside of the browser, in place of a code. */
export interface KeyProof {
  challenge: string;
  key: string;
  signature: string;
}

/** Log in; `code` is empty at the first login only. Raises ApiError where the center refuses. */
export async function login(username: string, password: string, code: string, proof: KeyProof | null = null): Promise<void> {
  accept(await post<Session>("session", { username, password, code, proof }));
}

/** A text for the person's own key to sign. */
export async function challenge(username: string): Promise<string> {
  return (await post<{ challenge: string }>("session/challenge", { username })).challenge;
}

/** A secret for a device that is to be bound. */
export function offerDevice(hash: "sm3" | "sha256"): Promise<FactorOffer> {
  return post<FactorOffer>("session/factor", { hash });
}

/** Bind the device that shows `code`. */
export async function bindDevice(code: string): Promise<void> {
  accept(await post<Session>("session/factor/code", { code }));
}

/** What stands between a first login and the console, in its order; null where nothing does. */
export function firstSteps(found: Pick<Session, "factor" | "must_change_password">): "factor" | "password" | null {
  if (!found.factor) return "factor";
  return found.must_change_password ? "password" : null;
}

/** Replace the password. Raises ApiError where the center refuses. */
export async function changePassword(old: string, next: string): Promise<void> {
  accept(await post<Session>("session/password", { old, new: next }));
}

/** End the session here and at the center. */
export async function logout(): Promise<void> {
  try {
    await remove("session");
  } finally {
    forget();
  }
}

/** Drop the session in this page only. */
export function forget(): void {
  session.value = null;
  setCsrf("");
}

function accept(found: Session): void {
  session.value = found;
  setCsrf(found.csrf);
}
