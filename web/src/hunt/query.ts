/** The address of a hunt: query text and range; and what clicks on values and bars make of them. */

export interface Hunt {
  q: string;
  /** A length before now ("24h"), or "" where `since` and `until` are given. */
  range: string;
  since: string;
  until: string;
}

export const ranges = ["15m", "1h", "4h", "24h", "7d", "30d"] as const;
export const default_range = "24h";
const unit_ms: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const words_apart = /^(and|or|not|且|并且|或|或者|非|&&|\|\|)$/i;

/** The hunt an address says; what makes no sense is left at its default. */
export function huntOf(query: Record<string, unknown>): Hunt {
  const text = (name: string) => (typeof query[name] === "string" ? (query[name] as string) : "");
  const [since, until] = [text("since"), text("until")];
  const q = text("q").slice(0, 4_096);
  if (isTime(since) && isTime(until) && Date.parse(since) < Date.parse(until)) return { q, range: "", since, until };
  return { q, range: span(text("range")) ? text("range") : default_range, since: "", until: "" };
}

/** The address of a hunt, defaults left out. */
export function addressOf(hunt: Hunt): Record<string, string> {
  const times: Record<string, string> = hunt.range ? (hunt.range === default_range ? {} : { range: hunt.range }) : { since: hunt.since, until: hunt.until };
  return { ...(hunt.q ? { q: hunt.q } : {}), ...times };
}

/** From when to when, at the time `now`. */
export function bounds(hunt: Hunt, now: Date): { since: string; until: string } {
  if (!hunt.range) return { since: hunt.since, until: hunt.until };
  return { since: new Date(now.getTime() - span(hunt.range)).toISOString(), until: now.toISOString() };
}

/** The milliseconds of "15m", "24h", "7d"; 0 for anything else. */
export function span(range: string): number {
  const found = /^([1-9][0-9]{0,3})([mhd])$/.exec(range);
  return found ? Number(found[1]) * (unit_ms[found[2] ?? ""] ?? 0) : 0;
}

/** The value as a query means it literally: quoted where it must be. */
export function quoted(value: string): string {
  if (/^[\p{L}\p{N}._/@%][\p{L}\p{N}._/@:%-]*$/u.test(value) && !/[！-～]/.test(value) && !words_apart.test(value)) return value;
  return `"${value.replace(/\\/g, "\\\\").replace(/["“”＂]/g, "\\$&")}"`;
}

/** The query with one more condition on a value; a list of terms joined by "or" is set in parentheses first. */
export function withTerm(q: string, field: string, value: string, include: boolean): string {
  return joined(q, `${include ? "" : "not "}${field}:${quoted(value)}`);
}

function joined(q: string, term: string): string {
  const before = q.trim();
  if (!before || before === "*") return term;
  if (before === term || before.endsWith(` and ${term}`)) return before;
  const loose = /(^|[\s)])(or|\|\||或者?)([\s(]|$)/i.test(before.replace(/"(\\.|[^"\\])*"/g, '""'));
  return `${loose ? `(${before})` : before} and ${term}`;
}

/** The range that bars `first` to `last` cover (either may come first); bars of `step_ms` from `since`. */
export function brushed(since: string, until: string, step_ms: number, first: number, last: number): { since: string; until: string } {
  const [low, high] = first <= last ? [first, last] : [last, first];
  const start = Date.parse(since);
  const end = Math.min(start + (high + 1) * step_ms, Date.parse(until));
  return { since: new Date(start + low * step_ms).toISOString(), until: new Date(end).toISOString() };
}

/** A time as the value of a datetime-local field, in Beijing time. */
export function localTime(time: string): string {
  return new Date(Date.parse(time) + 8 * 3_600_000).toISOString().slice(0, 16);
}

/** The time a datetime-local field means, in Beijing; "" where it means none. */
export function fromLocal(text: string): string {
  const at = Date.parse(`${text}:00+08:00`);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));
}
