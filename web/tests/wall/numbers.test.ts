import { describe, expect, it } from "vitest";
import type { WallPage } from "../../src/api/types";
import { complied, daysLate, extent, refreshOf, shares, shareText, total, turned } from "../../src/wall/numbers";

const layer = (name: string, compliant: number, violated: number): WallPage["layers"][number] => ({ layer: name, compliant, partial: 0, violated, unknown: 0 });

describe("refresh", () => {
  it("is five seconds unless asked, within bounds", () => {
    expect([refreshOf(undefined), refreshOf("x"), refreshOf("-1"), refreshOf("0.01"), refreshOf("2"), refreshOf("600")]).toEqual([5000, 5000, 5000, 20, 2000, 60000]);
  });
});

describe("layers", () => {
  it("stand in the order of the radar, unknown ones as null", () => {
    expect(shares([layer("network", 3, 1), layer("physical", 0, 0)])).toEqual([null, 0.75, null, null, null, null]);
    expect(complied(layer("data", 0, 2))).toBe(0);
  });
});

describe("lists", () => {
  it("turn page by page and begin anew", () => {
    const rows = [1, 2, 3, 4, 5];
    expect([turned(rows, 2, 0), turned(rows, 2, 2), turned(rows, 2, 3)]).toEqual([[1, 2], [5], [1, 2]]);
    expect(turned(rows, 9, 7)).toEqual(rows);
  });

  it("count days since a deadline", () => {
    const now = new Date("2026-11-22T08:00:00Z");
    expect([daysLate("2026-11-20T07:00:00Z", now), daysLate("2026-11-23T00:00:00Z", now)]).toEqual([2, 0]);
  });
});

it("sums, measures and writes shares", () => {
  expect(total({ critical: 1, low: 2 })).toBe(3);
  expect(extent([{ column: 5, row: 3 }, { column: null, row: null }] as WallPage["tiles"])).toEqual({ columns: 6, rows: 4 });
  expect([shareText(1, 3), shareText(0, 0)]).toEqual(["33%", "—"]);
});
