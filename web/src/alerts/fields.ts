/** An event's fields as rows of a table, those that matched marked and first. */
import type { EventRow, MatchRow } from "../api/types";
import { valueText } from "../format";

export interface FieldRow {
  name: string;
  text: string;
  matched: boolean;
  /** The selection or feature that the field fulfilled. */
  selection: string;
}

/** Rows of `fields` of one event; `matches` are those of this event. */
export function fieldRows(fields: Record<string, unknown>, matches: readonly MatchRow[]): FieldRow[] {
  const found = new Map<string, Set<string>>();
  for (const match of matches) {
    const selections = found.get(match.field) ?? new Set();
    if (match.selection) selections.add(match.selection);
    found.set(match.field, selections);
  }
  const rows = Object.entries(fields).map(([name, value]) => ({
    name,
    text: valueText(value),
    matched: found.has(name),
    selection: [...(found.get(name) ?? [])].join(", "),
  }));
  return rows.sort((a, b) => Number(b.matched) - Number(a.matched) || (a.name < b.name ? -1 : 1));
}

/** Matches whose field stands in none of the events; counts of an unusual window have a panel of their own. */
export function looseMatches(events: readonly EventRow[], matches: readonly MatchRow[]): MatchRow[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  return matches.filter((match) => {
    if (match.label) return false;
    const event = byId.get(match.event);
    return !event || !(match.field in event.fields || match.field in event.native);
  });
}
