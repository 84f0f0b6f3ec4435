/** The live queue without a screen: pages anywhere in a long list, what to do when news comes, where the cursor goes. */
import type { AlertGroup, AlertPage } from "../api/types";
import type { Sort } from "./address";

export const page_rows = 200;
/** Rows that a browser can scroll over; what lies behind is reached by narrowing. */
export const rows_max = 800_000;

/** What the queue holds. `rows` has a hole for each row not fetched yet; `pending` are groups behind "N new". */
export interface Queue {
  rows: (AlertGroup | undefined)[];
  /** Where each known group stands. */
  at: Map<string, number>;
  pending: AlertGroup[];
  total: number;
  /** Whether that is all: of some filters the first page is shown before its rows are counted. */
  exact: boolean;
  /** By page: the cursor its rows stand behind. */
  starts: Map<number, string>;
}

/** A queue of nothing. */
export function emptyQueue(): Queue {
  return { rows: [], at: new Map(), pending: [], total: 0, exact: true, starts: new Map([[0, ""]]) };
}

/** The queue of a first page. */
export function fromPage(page: AlertPage): Queue {
  const queue = emptyQueue();
  put(queue, 0, page);
  return queue;
}

/** Put a page where it belongs; a group that stands elsewhere already stays there too until it is fetched anew. */
export function put(queue: Queue, page: number, found: AlertPage): void {
  const first = page * page_rows;
  if (found.exact || !queue.total) tell(queue, found.total, found.exact);
  queue.rows.length = Math.min(Math.max(queue.total, first + found.rows.length), rows_max);
  found.rows.forEach((row, place) => {
    const known = queue.at.get(row.id);
    if (known !== undefined && known !== first + place && queue.rows[known]?.id === row.id) queue.rows[known] = row;
    queue.rows[first + place] = row;
    queue.at.set(row.id, first + place);
  });
  if (found.next) queue.starts.set(page + 1, found.next);
  else tell(queue, (queue.rows.length = first + found.rows.length), true);
}

/** How many rows there are; the list grows or shrinks to it. */
export function tell(queue: Queue, total: number, exact = true): void {
  queue.total = total;
  queue.exact = exact;
  if (queue.rows.length) queue.rows.length = Math.min(Math.max(total, known(queue)), rows_max);
}

function known(queue: Queue): number {
  let end = queue.rows.length;
  while (end > 0 && !queue.rows[end - 1]) end -= 1;
  return end;
}

/** How to ask for a page: behind the nearest known cursor, so many rows further. */
export function request(queue: Queue, page: number): { cursor: string; offset: number } {
  let known = page;
  while (known > 0 && !queue.starts.has(known)) known -= 1;
  return { cursor: queue.starts.get(known) ?? "", offset: (page - known) * page_rows };
}

/** Pages of the rows from `first` to `last` that are not fetched yet. */
export function missing(queue: Queue, first: number, last: number): number[] {
  const pages: number[] = [];
  for (let page = Math.floor(first / page_rows); page <= Math.floor(Math.max(first, last) / page_rows); page += 1) {
    const begin = page * page_rows;
    if (begin < queue.rows.length && queue.rows[begin] === undefined) pages.push(page);
  }
  return pages;
}

/**
 * The queue after the center said that something changed; `page` is the first page as it is now.
 *
 * `free` says that the reader is at the top and has nothing selected: then the fresh page is shown as it
 * is. Otherwise no row moves: known groups change in place, unknown ones wait in `pending`.
 */
export function merge(queue: Queue, page: AlertPage, free: boolean, sort: Sort): Queue {
  if (free || queue.rows.length === 0) return fromPage(page);
  let end = 0;
  while (end < queue.rows.length && queue.rows[end]) end += 1;
  const last = queue.rows[end - 1];
  replaceRows(queue, page.rows);
  // An unknown group behind all that is shown belongs to a page that was not fetched yet.
  const rest = end < queue.rows.length;
  queue.pending = page.rows.filter((row) => !queue.at.has(row.id) && (!rest || !last || before(row, last, sort)));
  if (page.exact) queue.total = page.total;
  return queue;
}

/** Known groups as they are now; the newer of two answers stays. */
export function replaceRows(queue: Queue, rows: readonly AlertGroup[]): void {
  for (const row of rows) {
    const at = queue.at.get(row.id);
    const old = at === undefined ? undefined : queue.rows[at];
    if (at !== undefined && old && row.revision >= old.revision) queue.rows[at] = row;
  }
}

/** The row of a group, where it is known. */
export function rowOf(queue: Queue, id: string): AlertGroup | undefined {
  const at = queue.at.get(id);
  return at === undefined ? undefined : queue.rows[at];
}

/** The id under the cursor after `step` rows down (or up); the first row where there was none. */
export function moveCursor(queue: Queue, cursor: string, step: number): string {
  const known = queue.at.get(cursor);
  if (known === undefined && step <= 1) return queue.rows[0]?.id ?? "";
  const at = known ?? -1; // End goes to the last row from nowhere too
  const way = Math.sign(step);
  for (let to = Math.min(Math.max(at + step, 0), queue.rows.length - 1); to !== at; to -= way) {
    const row = queue.rows[to];
    if (row) return row.id; // rows not fetched yet are not stepped on
  }
  return cursor;
}

/** The groups from one to another, both included, as far as they are known. */
export function between(queue: Queue, from: string, to: string): string[] {
  const ends = [queue.at.get(from) ?? -1, queue.at.get(to) ?? -1];
  if (ends.includes(-1)) return [to];
  return queue.rows.slice(Math.min(...ends), Math.max(...ends) + 1).flatMap((row) => (row ? [row.id] : []));
}

const rank = { informational: 0, low: 1, medium: 2, high: 3, critical: 4 };

function before(row: AlertGroup, other: AlertGroup, sort: Sort): boolean {
  const value = (one: AlertGroup) => (sort === "risk" ? one.risk : sort === "count" ? one.count : sort === "severity" ? rank[one.severity] : 0);
  const by = value(row) - value(other);
  return by > 0 || (by === 0 && Date.parse(row.latest ?? row.last_seen) >= Date.parse(other.latest ?? other.last_seen));
}
