/** The live queue without a screen: what to show when fresh rows come, and where the cursor goes. */
import type { AlertGroup, AlertPage } from "../api/types";

/** What the queue holds. `pending` are groups not shown yet, behind the "N new" hint. */
export interface Queue {
  rows: AlertGroup[];
  pending: AlertGroup[];
  total: number;
  next: string;
}

export const emptyQueue: Queue = { rows: [], pending: [], total: 0, next: "" };

/** The queue of a first page. */
export function fromPage(page: AlertPage): Queue {
  return { rows: page.rows, pending: [], total: page.total, next: page.next };
}

/** The queue with one more page at its end; groups that moved up meanwhile are not doubled. */
export function withMore(queue: Queue, page: AlertPage): Queue {
  const shown = new Set(queue.rows.map((row) => row.id));
  const added = page.rows.filter((row) => !shown.has(row.id));
  return { ...queue, rows: [...queue.rows, ...added], total: page.total, next: page.next };
}

/**
 * The queue after the center said that something changed; `page` is the first page as it is now.
 *
 * `free` says that the reader is at the top and has nothing selected: then the fresh page is shown as it
 * is. Otherwise no row moves: known groups change in place, unknown ones wait in `pending`.
 */
export function merge(queue: Queue, page: AlertPage, free: boolean): Queue {
  if (free || queue.rows.length === 0) return fromPage(page);
  const fresh = new Map(page.rows.map((row) => [row.id, row]));
  const rows = queue.rows.map((row) => newer(row, fresh.get(row.id)));
  const shown = new Set(rows.map((row) => row.id));
  const last = queue.rows[queue.rows.length - 1];
  // While there are later pages, an unknown group older than all that is shown belongs to one of them.
  const oldest = queue.next && last ? Date.parse(last.last_seen) : -Infinity;
  const pending = page.rows.filter((row) => !shown.has(row.id) && Date.parse(row.last_seen) >= oldest);
  return { ...queue, rows, pending, total: page.total };
}

/** The queue with one group replaced, for example after the reader's own action. */
export function replaceRow(queue: Queue, row: AlertGroup): Queue {
  return { ...queue, rows: queue.rows.map((old) => (old.id === row.id ? row : old)) };
}

function newer(old: AlertGroup, fresh: AlertGroup | undefined): AlertGroup {
  return fresh && fresh.revision >= old.revision ? fresh : old;
}

/** The id under the cursor after `step` rows down (or up); the first row where there was none. */
export function moveCursor(rows: readonly { id: string }[], cursor: string, step: number): string {
  if (rows.length === 0) return "";
  const at = rows.findIndex((row) => row.id === cursor);
  if (at < 0) return rows[0]?.id ?? "";
  return rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.id ?? "";
}
