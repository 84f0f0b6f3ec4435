import { describe, expect, it } from "vitest";
import { filled, hourlyChart } from "../../src/exceptions/chart";

describe("hours held back", () => {
  it("fills the hours between", () => {
    const rows = filled([
      { hour: "2026-11-22T08:00:00Z", count: 2 },
      { hour: "2026-11-22T11:00:00Z", count: 1 },
    ]);
    expect(rows.map((row) => row.count)).toEqual([2, 0, 0, 1]);
    expect(filled([])).toEqual([]);
  });

  it("draws one bar an hour", () => {
    const option = hourlyChart([{ hour: "2026-11-22T08:00:00Z", count: 2 }])((name) => name) as { series: { data: number[] }[] };
    expect(option.series[0]?.data).toEqual([2]);
  });
});
