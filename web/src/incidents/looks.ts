/** Colours and shapes of incidents, and how far a statutory clock has run. */
import type { IncidentRow, IncidentRules } from "../api/types";
import type { Look } from "../tones";

export type Clock = IncidentRow["clocks"][number];

export const gradeLooks: Record<number, Look> = {
  1: { tone: "red", shape: "octagon" },
  2: { tone: "orange", shape: "triangle" },
  3: { tone: "amber", shape: "diamond" },
  4: { tone: "blue", shape: "dot" },
};

export const stateLooks: Record<IncidentRow["state"], Look> = {
  open: { tone: "red", shape: "dot" },
  handling: { tone: "amber", shape: "half" },
  handled: { tone: "blue", shape: "half" },
  closed: { tone: "green", shape: "check" },
  dismissed: { tone: "grey", shape: "dash" },
  merged: { tone: "grey", shape: "ring" },
};

export const actionLooks: Record<string, Look> = {
  opened: { tone: "blue", shape: "dot" },
  filed: { tone: "green", shape: "check" },
  reminded: { tone: "amber", shape: "triangle" },
  changed: { tone: "amber", shape: "ring" },
  settle: { tone: "blue", shape: "half" },
  close: { tone: "green", shape: "check" },
  dismiss: { tone: "grey", shape: "dash" },
  "file-added": { tone: "violet", shape: "diamond" },
};

export const plain: Look = { tone: "grey", shape: "ring" };

const minute_ms = 60_000;

/** Percent of a clock's time that is over, 0 to 100 and more when late. */
export function elapsed(clock: Pick<Clock, "started" | "due" | "done">, now: Date): number {
  const [from, to] = [Date.parse(clock.started), Date.parse(clock.due)];
  const at = clock.done ? Date.parse(clock.done) : now.getTime();
  return to <= from ? 100 : Math.max(0, Math.round(((at - from) / (to - from)) * 100));
}

/** Colour and shape of a clock. */
export function clockLook(clock: Pick<Clock, "started" | "due" | "done" | "overdue">, now: Date): Look {
  const percent = elapsed(clock, now);
  if (clock.overdue || (!clock.done && percent >= 100)) return { tone: "red", shape: "octagon" };
  if (clock.done) return { tone: "green", shape: "check" };
  if (percent >= 80) return { tone: "orange", shape: "triangle" };
  if (percent >= 50) return { tone: "amber", shape: "half" };
  return { tone: "blue", shape: "dot" };
}

/** The clock a person has to look at: the soonest that is owed, else the last. */
export function pressing(clocks: readonly Clock[]): Clock | undefined {
  const owed = clocks.filter((clock) => !clock.done);
  return owed.length ? owed.reduce((a, b) => (Date.parse(a.due) <= Date.parse(b.due) ? a : b)) : clocks.at(-1);
}

/** Time left as 3:05 (hours and minutes), 12 d from two days on; "0:00" when over. */
export function left(due: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((Date.parse(due) - now.getTime()) / minute_ms));
  if (minutes >= 2 * 1440) return `${Math.floor(minutes / 1440)} d`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** The gravest grade that so many people's data makes an incident at least; 4 where it says nothing. */
export function leastGrade(rules: IncidentRules | undefined, persons: number): number {
  const reached = (rules?.grades ?? []).filter((one) => one.persons > 0 && persons >= one.persons).map((one) => one.grade);
  return reached.length ? Math.min(...reached) : 4;
}

/** A local date and time (`2026-11-22T09:00`, Beijing) as the center takes it; null where there is none. */
export function moment(local: string): string | null {
  return local ? `${local.length === 16 ? `${local}:00` : local}+08:00` : null;
}
