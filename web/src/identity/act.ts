/** What the administrators and owners do to accounts, sessions and tokens, and how their states look. */
import { post, remove } from "../api/client";
import type { AccountRow, IssuedPassword, MadeToken, TokenRow } from "../api/types";
import { may, session } from "../session";
import type { Look } from "../tones";

export const roles = ["system_admin", "security_admin", "audit_admin", "analyst", "shift_lead", "compliance_officer", "wall_display"] as const;
export const administrators = ["system_admin", "security_admin", "audit_admin"] as const;

export const stateLooks: Record<AccountRow["state"], Look> = {
  active: { tone: "green", shape: "check" },
  "one-time": { tone: "blue", shape: "half" },
  ungranted: { tone: "amber", shape: "question" },
  waiting: { tone: "amber", shape: "ring" },
  locked: { tone: "orange", shape: "triangle" },
  disabled: { tone: "grey", shape: "cross" },
};

export type Act = "issue" | "grant" | "release" | "disable" | "enable" | "unlock";

/** What the person logged in may do to an account now; never anything to the own one. */
export function actsOn(row: AccountRow): Act[] {
  if (row.username === session.value?.username) return [];
  const found: Act[] = [];
  if (may("accounts.create") && row.state !== "disabled") found.push("issue");
  if (!may("accounts.grant")) return found;
  if (row.state === "waiting") found.push("release");
  if (row.state === "locked") found.push("unlock");
  if (row.state !== "disabled") found.push("grant");
  if (row.state === "disabled") found.push("enable");
  else if (row.state !== "ungranted") found.push("disable");
  return found;
}

/** Roles an account can be granted: the three administrators' go to fresh accounts alone and are kept. */
export function rolesFor(row: AccountRow): readonly string[] {
  if (!row.role) return roles;
  if ((administrators as readonly string[]).includes(row.role)) return [row.role];
  return roles.filter((role) => !(administrators as readonly string[]).includes(role));
}

/** Whether a token still opens anything. */
export function valid(row: TokenRow, now: number): boolean {
  return !row.revoked && Date.parse(row.expires) > now;
}

export const createAccount = (order: { username: string; display_name: string; person: string }) => post<IssuedPassword>("accounts", order);
export const issuePassword = (username: string, unbind: boolean) => post<IssuedPassword>(`accounts/${username}/issue`, { unbind });
export const grantRole = (username: string, role: string, unit: string) => post(`accounts/${username}/grant`, { role, unit });
export const disableAccount = (username: string, reason: string) => post(`accounts/${username}/disable`, { reason });
export const actOn = (username: string, act: "release" | "enable" | "unlock") => post(`accounts/${username}/${act}`);
export const endSession = (id: string) => remove(`sessions/${id}`);
export const makeToken = (order: { name: string; permissions: string[]; unit: string; source: string; days: number }) => post<MadeToken>("tokens", order);
export const makeKiosk = (order: { name: string; unit: string; source: string; days: number }) => post<MadeToken>("kiosks", order);
export const revokeToken = (id: string) => remove(`tokens/${id}`);
