/** Exceptions as the pages show and make them. */
import type { ExceptionOrder, ExceptionRow, ExceptionScope } from "../api/types";
import { fullTime } from "../format";
import type { Look } from "../tones";

export type Phase = ExceptionRow["phase"];
export type Kind = ExceptionRow["kind"];

export const phases = ["waiting", "active", "scheduled", "expired", "ended", "refused"] as const satisfies readonly Phase[];
export const kinds = ["exception", "maintenance"] as const satisfies readonly Kind[];

export const phaseLooks: Record<Phase, Look> = {
  waiting: { tone: "amber", shape: "question" },
  scheduled: { tone: "blue", shape: "ring" },
  active: { tone: "green", shape: "check" },
  expired: { tone: "grey", shape: "dash" },
  refused: { tone: "red", shape: "cross" },
  ended: { tone: "grey", shape: "half" },
};

export const days_max: Record<Kind, number> = { exception: 366, maintenance: 31 };
export const days_offered = [1, 7, 30, 90, 180, 365] as const;

const minute_ms = 60_000;
const day_ms = 86_400_000;
const beijing_minutes = 480; // all times of the console are those of UTC+8

/** What the form holds; times as `datetime-local` fields write them. */
export interface Form {
  kind: Kind;
  title: string;
  rules: string;
  unit: string;
  below: boolean;
  condition: string;
  reason: string;
  owner: string;
  begins: string;
  expires: string;
}

/** A time for a `datetime-local` field, in Beijing time. */
export function localTime(time: Date): string {
  return fullTime(time).slice(0, 16).replace(" ", "T");
}

/** What such a field means, as the API takes it; "" where it is empty or no time. */
export function meant(field: string): string {
  const time = field ? Date.parse(`${field}:00Z`) : Number.NaN; // an empty one alone reads as a year
  return Number.isNaN(time) ? "" : new Date(time - beijing_minutes * minute_ms).toISOString();
}

/** An empty form for a unit that runs out after `days`. */
export function blank(unit: string, owner: string, now: Date, days = 30): Form {
  return { kind: "exception", title: "", rules: "", unit, below: false, condition: "", reason: "", owner, begins: "", expires: localTime(after(now, days)) };
}

/** `days` from now. */
export function after(now: Date, days: number): Date {
  return new Date(now.getTime() + days * day_ms);
}

/** The rules of a form: one or more ids, parted by spaces, commas or lines. */
export function ruleIds(text: string): string[] {
  return [...new Set(text.split(/[\s,，、]+/).filter(Boolean))];
}

/** The part of a form that a preview asks about. */
export function scopeOf(form: Form): ExceptionScope {
  return { kind: form.kind, rules: ruleIds(form.rules), unit: form.unit, below: form.below, condition: form.condition.trim() };
}

/** The whole of it. */
export function orderOf(form: Form, origin: string): ExceptionOrder {
  const begins = meant(form.begins);
  return { ...scopeOf(form), title: form.title.trim(), reason: form.reason.trim(), owner: form.owner.trim(), begins: begins || null, expires: meant(form.expires), origin };
}

/** Which fields of a form are still wrong, in their order. */
export function lacking(form: Form, now: Date): (keyof Form)[] {
  const found: (keyof Form)[] = [];
  const single = form.kind === "exception";
  if (form.title.trim().length < 2) found.push("title");
  if (single && !ruleIds(form.rules).length) found.push("rules");
  if (!form.unit) found.push("unit");
  if (single && !form.condition.trim()) found.push("condition");
  const begins = form.kind === "maintenance" && form.begins ? Date.parse(meant(form.begins)) : now.getTime();
  const expires = Date.parse(meant(form.expires));
  if (!(expires > begins && expires > now.getTime() && expires - begins <= days_max[form.kind] * day_ms)) found.push("expires");
  if (form.reason.trim().length < 2) found.push("reason");
  return found;
}

/** A condition of those terms that are switched on. */
export function joined(terms: readonly string[], on: ReadonlySet<string>): string {
  return terms.filter((term) => on.has(term)).join(" and ");
}

/** Rows that fit a phase; "" is any, "open" what still counts. */
export function fitting(rows: readonly ExceptionRow[], phase: string): ExceptionRow[] {
  if (phase === "open") return rows.filter((row) => ["waiting", "active", "scheduled"].includes(row.phase));
  return phase ? rows.filter((row) => row.phase === phase) : [...rows];
}

/** Whether it ends within a week: time to look at it again. */
export function endsSoon(row: ExceptionRow, now: Date): boolean {
  return row.phase === "active" && Date.parse(row.expires) - now.getTime() < 7 * day_ms;
}
