/** Unusual entities of a shift, and what closings propose, as the panel shows them. */
import type { ProposalRow, UnusualPage } from "../api/types";
import { after, localTime, type Form } from "../exceptions/list";

/** The address of the list: found by a part of the name, or the riskiest. */
export function listPath(entity: string, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (entity.trim()) query.set("entity", entity.trim());
  return `anomalies?${query.toString()}`;
}

/** How many entities are not of the shift's budget. */
export function beyond(page: UnusualPage): number {
  return page.total - page.within;
}

/** What the form of an exception begins with, where closings propose it. */
export function formOf(row: ProposalRow, title: string, why: string, now: Date): Partial<Form> {
  return { title: title.slice(0, 120), rules: row.rule, unit: row.unit, condition: row.condition, reason: why, expires: localTime(after(now, row.days)) };
}
