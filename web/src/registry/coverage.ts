/** Coverage as the chart and the tables show it. */
import type { CoveragePage, UnitCoverageRow, UnitRow } from "../api/types";

/** Units worth a bar: those directly below the top that have anything, or the top alone. */
export function barUnits(rows: readonly UnitCoverageRow[]): UnitCoverageRow[] {
  const codes = new Set(rows.map((row) => row.unit));
  const tops = rows.filter((row) => row.parent === null || !codes.has(row.parent));
  const children = rows.filter((row) => tops.some((top) => top.unit === row.parent) && used(row));
  return (children.length ? children : tops).slice(0, 20);
}

/** Whether there is anything to see in a unit. */
export function used(row: UnitCoverageRow): boolean {
  return row.systems + row.sensors.total + row.assets + row.unregistered + row.tasks_open > 0;
}

/** How far a unit is covered. */
export function coverState(row: UnitCoverageRow): "covered" | "partly" | "not" | "empty" {
  if (!row.systems) return "empty";
  return row.systems_covered === row.systems ? "covered" : row.systems_covered ? "partly" : "not";
}

/** Systems of a unit and of those below it. */
export function systemsOf(page: CoveragePage, inside: ReadonlySet<UnitRow["code"]>): CoveragePage["systems"] {
  return page.systems.filter((row) => inside.has(row.unit));
}
