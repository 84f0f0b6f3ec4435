/** What a person decides about groups: sent to the center, and shown at once as it will be. */
import { post } from "../api/client";
import type { ActRow, AlertGroup, Classification } from "../api/types";

export type Action = "acknowledge" | "assign" | "close" | "reopen" | "snooze" | "wake" | "note" | "merge" | "split";

/** What an action needs beside the groups. */
export interface Wish {
  action: Action;
  owner?: string;
  classification?: Classification;
  reason?: string;
  until?: string;
  into?: string;
}

/** Groups by their ids, or every row of a filter. */
export type Aim = { groups: string[] } | { filter: Record<string, string> };

/** Begin an act. Raises ApiError where the center refuses. */
export function sendAct(wish: Wish, aim: Aim): Promise<ActRow> {
  return post<ActRow>("alerts/acts", { ...wish, ...aim });
}

/** Take an act back. Raises ApiError where it is too late. */
export function undoAct(act: number): Promise<ActRow> {
  return post<ActRow>(`alerts/acts/${act}/undo`);
}

/** Whether the action makes sense for a group as it is. */
export function possible(action: Action, group: AlertGroup): boolean {
  if (action === "note") return true;
  if (action === "split") return group.parent !== "";
  if (action === "reopen") return group.state === "closed";
  if (action === "acknowledge") return group.state === "new";
  if (action === "wake") return group.state !== "closed" && !!group.snoozed_until;
  return group.state !== "closed";
}

/** Newer than what the center told before the act, older than all it tells after it. */
export function foreseenRevision(group: AlertGroup): number {
  return Math.floor(group.revision) + 0.5;
}

/** The group as it will be once the act is done; the center's answer replaces it. */
export function foreseen(group: AlertGroup, wish: Wish, me: string): AlertGroup {
  if (!possible(wish.action, group)) return group;
  switch (wish.action) {
    case "acknowledge":
      return { ...group, state: "acknowledged", owner: me };
    case "assign":
      return { ...group, state: wish.owner ? "acknowledged" : "new", owner: wish.owner ?? "" };
    case "close":
      return { ...group, state: "closed", classification: wish.classification ?? "", close_reason: wish.reason ?? "", owner: group.owner || me };
    case "reopen":
      return { ...group, state: "acknowledged", owner: me, classification: "", close_reason: "" };
    case "snooze":
      return { ...group, snoozed_until: wish.until ?? null };
    case "wake":
      return { ...group, snoozed_until: null };
    case "merge":
      return group.id === wish.into ? group : { ...group, parent: wish.into ?? "" };
    case "split":
      return { ...group, parent: "" };
    default:
      return group;
  }
}
