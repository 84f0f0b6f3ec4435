/** What a gate says, in the words and looks of the page; what an override may name. */
import type { DecisionRow, GroundRow, OverrideRow } from "../api/types";
import type { Look } from "../tones";

/** The longest an override or a release may last; the center decides again. */
export const hours_max = 72;

export const groundLooks: Record<GroundRow["state"], Look> = {
  failed: { tone: "red", shape: "cross" },
  unknown: { tone: "violet", shape: "question" },
  grace: { tone: "amber", shape: "half" },
  overridden: { tone: "orange", shape: "triangle" },
};

export const overrideLooks: Record<OverrideRow["state"] | "over", Look> = {
  asked: { tone: "blue", shape: "half" },
  approved: { tone: "orange", shape: "triangle" },
  refused: { tone: "red", shape: "cross" },
  ended: { tone: "grey", shape: "dash" },
  over: { tone: "grey", shape: "dash" },
};

/** Open, open only by somebody's word or for a while, or closed. */
export function gateLook(decision: Pick<DecisionRow, "allowed" | "ruling">): Look {
  if (!decision.allowed) return { tone: "red", shape: "octagon" };
  return decision.ruling === "checks" ? { tone: "green", shape: "check" } : { tone: "amber", shape: "triangle" };
}

/** The checks an override could name: those that stand against it now, without those nothing passes over. */
export function against(decision: Pick<DecisionRow, "grounds">, fail_closed: readonly string[]): GroundRow[] {
  return decision.grounds.filter((ground) => (ground.state === "failed" || ground.state === "unknown") && !fail_closed.includes(ground.check));
}

/** The state of an override as it counts at `now`: what is past its time opens nothing. */
export function overrideState(row: Pick<OverrideRow, "state" | "expires">, now: Date): OverrideRow["state"] | "over" {
  const past = new Date(row.expires).getTime() <= now.getTime();
  return past && (row.state === "approved" || row.state === "asked") ? "over" : row.state;
}

/** Whether this person may say yes or no: another person, of another role. */
export function decidable(row: OverrideRow, username: string, role: string, now: Date): boolean {
  return overrideState(row, now) === "asked" && row.asked_by !== `user:${username}` && row.asked_role !== role;
}
