/** How a statement stands, as a person reads it: waiting, in force, ending soon, over, refused, taken back. */
import type { AttestationForm, AttestationRow } from "../api/types";
import type { Look } from "../tones";

const soon_ms = 30 * 86_400_000;

export type Standing = "submitted" | "holds" | "ending" | "over" | "rejected" | "withdrawn";

export const standingLooks: Record<Standing, Look> = {
  submitted: { tone: "blue", shape: "half" },
  holds: { tone: "green", shape: "check" },
  ending: { tone: "amber", shape: "triangle" },
  over: { tone: "violet", shape: "question" },
  rejected: { tone: "red", shape: "cross" },
  withdrawn: { tone: "grey", shape: "dash" },
};

/** What has become of a statement at `now`. */
export function standingOf(row: Pick<AttestationRow, "state" | "expires">, now: Date): Standing {
  if (row.state !== "accepted") return row.state;
  const left = new Date(row.expires).getTime() - now.getTime();
  if (left <= 0) return "over";
  return left < soon_ms ? "ending" : "holds";
}

/** Whether this person may decide about it: nobody reviews a statement of their own. */
export function reviewable(row: Pick<AttestationRow, "state" | "author">, username: string): boolean {
  return row.state === "submitted" && row.author !== `user:${username}`;
}

/** The form as the person fills it in. */
export interface Stated {
  verdict: AttestationRow["verdict"] | "";
  reason: string;
  answers: Record<string, string>;
  files: number;
  days: number;
}

/** What is missing before it leaves the page, by field; the center decides again. */
export function faultsOf(form: AttestationForm, stated: Stated, now: Date): Record<string, string> {
  const faults: Record<string, string> = {};
  if (!stated.verdict) faults.verdict = "verdict";
  else if (stated.verdict !== "符合" && stated.reason.trim().length < 2) faults.reason = "reason";
  if (stated.files < form.attachments) faults.files = "files";
  if (!Number.isInteger(stated.days) || stated.days < 1 || stated.days > form.valid_days) faults.days = "days";
  for (const ask of form.asks) {
    const answer = (stated.answers[ask.name] ?? "").trim();
    if (!answer) {
      if (ask.required) faults[ask.name] = "answer";
    } else if (ask.kind === "number" && !/^\d{1,12}(\.\d{1,6})?$/.test(answer)) faults[ask.name] = "number";
    else if (ask.kind === "date" && tooOld(answer, ask.within_days, now)) faults[ask.name] = "old";
  }
  return faults;
}

function tooOld(answer: string, within_days: number | null, now: Date): boolean {
  return within_days !== null && now.getTime() - new Date(answer).getTime() > (within_days + 1) * 86_400_000;
}
