import { describe, expect, it } from "vitest";
import type { UnitCoverageRow } from "../../src/api/types";
import { barUnits, coverState, systemsOf, used } from "../../src/registry/coverage";

const row = (unit: string, parent: string | null, over: Partial<UnitCoverageRow> = {}): UnitCoverageRow => ({
  unit,
  name: unit,
  parent,
  kind: "city",
  sensors: { total: 0, online: 0 },
  systems: 0,
  systems_covered: 0,
  assets: 0,
  assets_seen: 0,
  unregistered: 0,
  orders_open: 0,
  tasks_open: 0,
  ...over,
});

describe("coverage", () => {
  const rows = [row("p", null, { systems: 2, systems_covered: 1 }), row("c1", "p", { systems: 2, systems_covered: 1 }), row("c2", "p"), row("d", "c1", { assets: 1 })];

  it("draws the units below the top that have anything, else the top", () => {
    expect(barUnits(rows).map((one) => one.unit)).toEqual(["c1"]);
    expect(barUnits(rows.slice(0, 1)).map((one) => one.unit)).toEqual(["p"]);
    expect(barUnits(rows.slice(1, 2)).map((one) => one.unit), "a city's own account").toEqual(["c1"]);
    expect(barUnits([])).toEqual([]);
  });

  it("says how far a unit is covered", () => {
    expect([row("a", null), row("a", null, { systems: 1 }), rows[0], row("a", null, { systems: 1, systems_covered: 1 })].map((one) => coverState(one as UnitCoverageRow))).toEqual(["empty", "not", "partly", "covered"]);
    expect(used(row("a", null))).toBe(false);
    expect(used(row("a", null, { unregistered: 1 }))).toBe(true);
  });

  it("lists the systems of a unit and those below", () => {
    const of = (system: string, unit: string) => ({ system, name: system, unit, grade: "S3A3G3", stage: "filed" as const, assets: 0, assets_seen: 0, checks: 0, checks_fresh: 0, orders_open: 0, tasks_open: 0, newest: null, covered: false });
    expect(systemsOf({ units: [], systems: [of("a", "p"), of("b", "x")] }, new Set(["p"])).map((one) => one.system)).toEqual(["a"]);
  });
});
