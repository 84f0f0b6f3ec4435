/** Columns of the queue by the room there is. */
import type { Sort } from "./address";

export type Column = "choose" | "severity" | "risk" | "title" | "entity" | "system" | "count" | "first" | "last" | "state" | "owner" | "unit";

const widths: Record<Column, string> = {
  choose: "22px",
  severity: "66px",
  risk: "60px",
  title: "minmax(120px, 2.3fr)",
  entity: "minmax(90px, 1.5fr)",
  system: "minmax(90px, 1.1fr)",
  count: "52px",
  first: "84px",
  last: "84px",
  state: "86px",
  owner: "76px",
  unit: "minmax(70px, 0.8fr)",
};

/** The room from which on a column is shown. */
const room: Record<Column, number> = { choose: 0, severity: 0, title: 0, entity: 0, last: 450, state: 550, count: 690, risk: 780, owner: 880, unit: 960, system: 1_060, first: 1_170 };
const order: readonly Column[] = ["choose", "severity", "risk", "title", "entity", "system", "count", "last", "first", "state", "owner", "unit"];

export const sortable: Partial<Record<Column, Sort>> = { severity: "severity", risk: "risk", count: "count", last: "latest" };

/** The columns a list of this width shows. */
export function columnsFor(pixels: number): Column[] {
  return order.filter((name) => pixels >= room[name]);
}

/** Their widths as CSS. */
export function grid(columns: readonly Column[]): string {
  return columns.map((name) => widths[name]).join(" ");
}
