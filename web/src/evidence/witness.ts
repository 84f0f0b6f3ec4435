/** How far the ledger is cosigned, in the words of the page. */
import type { WitnessState } from "../api/types";
import type { Look } from "../tones";

export type Standing = "none" | "good" | "waiting" | "late";

/** none: nobody is asked for; good: all cosigned; waiting: within the time it may take; late: beyond it. */
export function standing(state: WitnessState, now: Date): Standing {
  if (!state.quorum) return "none";
  if (!state.waits_since) return "good";
  const waited_ms = now.getTime() - new Date(state.waits_since).getTime();
  return waited_ms > state.patience_minutes * 60_000 ? "late" : "waiting";
}

export const standingLook: Record<Standing, Look> = {
  none: { tone: "grey", shape: "dash" },
  good: { tone: "green", shape: "check" },
  waiting: { tone: "blue", shape: "half" },
  late: { tone: "red", shape: "octagon" },
};

/** How many records a witness is behind the newest checkpoint; -1 where it never cosigned. */
export function behind(size: number, total: number): number {
  return size ? Math.max(0, total - size) : -1;
}

/** Forks that nobody has closed yet. */
export function openForks(state: WitnessState): number {
  return state.alarms.filter((one) => one.kind === "fork" && one.open).length;
}
