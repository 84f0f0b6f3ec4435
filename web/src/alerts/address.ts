/** What the queue is narrowed to, how it is sorted and grouped: kept in the page's address. */
import type { LocationQuery } from "vue-router";

export const states = ["open", "new", "acknowledged", "snoozed", "withheld", "closed", "all"] as const;
export const sorts = ["latest", "risk", "count", "severity"] as const;
export const facets = ["severity", "rule", "entity", "unit", "owner", "state", "detector"] as const;
export const spans = ["", "1", "4", "24", "168", "720"] as const;

export type Sort = (typeof sorts)[number];
export type Facet = (typeof facets)[number];

export interface Filter {
  state: string;
  severity: string;
  detector: string;
  q: string;
  /** Hours before now; empty where `since` and `until` say it, or all times are meant. */
  hours: string;
  since: string;
  until: string;
  sort: Sort;
}

export const plain: Filter = { state: "open", severity: "", detector: "", q: "", hours: "", since: "", until: "", sort: "latest" };

const word = (value: unknown, otherwise = "") => (typeof value === "string" ? value : otherwise);

/** The filter that an address asks for; what it does not know is left out. */
export function fromAddress(query: LocationQuery): Filter {
  const state = word(query.state, "open");
  const sort = word(query.sort, "latest") as Sort;
  return {
    state: (states as readonly string[]).includes(state) ? state : "open",
    severity: word(query.severity),
    detector: word(query.detector),
    q: word(query.q),
    hours: (spans as readonly string[]).includes(word(query.hours)) ? word(query.hours) : "",
    since: word(query.since),
    until: word(query.until),
    sort: sorts.includes(sort) ? sort : "latest",
  };
}

/** The fields the rows are grouped by, two at most. */
export function groupedBy(query: LocationQuery): Facet[] {
  const named = word(query.by).split(",");
  return facets.filter((facet) => named.includes(facet)).sort((a, b) => named.indexOf(a) - named.indexOf(b)).slice(0, 2);
}

/** The address of a filter; what is as always stands in none. */
export function toAddress(filter: Filter, by: readonly Facet[] = []): Record<string, string> {
  const asked = Object.entries(filter).filter(([name, value]) => value !== plain[name as keyof Filter]);
  return { ...Object.fromEntries(asked), ...(by.length ? { by: by.join(",") } : {}) };
}

/** The parameters the center is asked with; a span of hours ends now. */
export function toParameters(filter: Filter, now: Date): Record<string, string> {
  const { hours, since, until, sort, ...rest } = filter;
  const begins = hours ? new Date(now.getTime() - Number(hours) * 3_600_000).toISOString() : since;
  return { ...rest, since: begins, until: hours ? "" : until, sort };
}

/** The same as the body of an act on every row of the filter. */
export function toOrder(filter: Filter, now: Date): Record<string, string> {
  const { sort: _, ...rest } = toParameters(filter, now);
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
}

/** Whether anything is left out of the queue. */
export function isNarrowed(filter: Filter): boolean {
  return Object.entries(filter).some(([name, value]) => name !== "sort" && value !== plain[name as keyof Filter]);
}

/** The address of a group, from that of the queue with no group open. */
export function addressOf(queue: string, group: string): string {
  const [path = "", query] = queue.split("?");
  return `${path.replace(/\/$/, "")}/${encodeURIComponent(group)}${query ? `?${query}` : ""}`;
}
