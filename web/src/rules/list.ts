/** Which rules the list shows and in which order; how their numbers are written. */
import type { RuleRow, RuleSource } from "../api/types";
import { severities } from "../tones";

export const kinds = ["rule", "correlation"] as const;
export const states = ["enabled", "disabled", "waiting"] as const;
export const orders = ["level", "last", "hits", "precision", "cost", "title"] as const;

export type Order = (typeof orders)[number];

/** What the list is narrowed to; '' means any. */
export interface Filter {
  kind: string;
  level: string;
  state: string;
  hit: string;
  text: string;
}

export const everything: Filter = { kind: "", level: "", state: "", hit: "", text: "" };

/** A log source on one line: what it says, by its three words. */
export function sourceText(source: RuleSource): string {
  return [source.product, source.category, source.service].filter(Boolean).join(" / ");
}

/** The rules that fit, each word of the text anywhere in what the list tells of them. */
export function fitting(rows: readonly RuleRow[], filter: Filter): RuleRow[] {
  const words = filter.text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (filter.kind && row.kind !== filter.kind) return false;
    if (filter.level && row.level !== filter.level) return false;
    if (filter.state && row.state !== filter.state) return false;
    if (filter.hit === "recent" && !row.hits) return false;
    if (filter.hit === "never" && row.last_hit) return false;
    const told = [row.title.zh, row.title.en, row.id, ...row.attack, ...row.clauses, sourceText(row.logsource), row.correlation].join("\n").toLowerCase();
    return words.every((word) => told.includes(word));
  });
}

type Key = (row: RuleRow) => number | string;

const nothing = Number.POSITIVE_INFINITY; // what is not known stands last

const keys: Record<Order, Key> = {
  level: (row) => severities.indexOf(row.level),
  last: (row) => (row.last_hit ? -Date.parse(row.last_hit) : nothing),
  hits: (row) => -row.hits,
  precision: (row) => row.precision ?? nothing,
  cost: (row) => (row.cost_nanoseconds === null ? nothing : -row.cost_nanoseconds),
  title: (row) => row.title.en.toLowerCase(),
};

/** The rules in an order; equal ones as they were. */
export function ordered(rows: readonly RuleRow[], by: Order): RuleRow[] {
  const key = keys[by];
  const compare = (one: number | string, two: number | string) => (one === two ? 0 : one < two ? -1 : 1);
  return rows
    .map((row, at) => ({ row, at, key: key(row) }))
    .sort((one, two) => compare(one.key, two.key) || one.at - two.at)
    .map((one) => one.row);
}

/** 812 ns, 4.2 µs, 1.3 ms. */
export function cost(nanoseconds: number): string {
  if (nanoseconds < 1_000) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 1_000_000) return `${(nanoseconds / 1_000).toFixed(1)} µs`;
  return `${(nanoseconds / 1_000_000).toFixed(1)} ms`;
}

/** 0.6667 as 67%; a share that is neither none nor all never reads so. */
export function percent(share: number): string {
  const whole = Math.round(share * 100);
  if (whole === 0 && share > 0) return "<1%";
  if (whole === 100 && share < 1) return ">99%";
  return `${whole}%`;
}

/** How many groups were judged at all. */
export function judgedCount(row: RuleRow): number {
  return Object.values(row.judged).reduce((sum, n) => sum + n, 0);
}
