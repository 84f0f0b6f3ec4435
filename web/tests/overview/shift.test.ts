import { describe, expect, it } from "vitest";
import type { ShiftPage } from "../../src/api/types";
import { balance, inflow, spanText, sumOf } from "../../src/overview/shift";

const page = { opened_per_hour: [3, 2], closed_per_hour: [1, 6] } as ShiftPage;

describe("numbers of a shift", () => {
  it("write spans as people say them", () => {
    expect([null, 45, 720, 12_600, 181_440].map((one) => spanText(one))).toEqual(["—", "45 s", "12 min", "3.5 h", "2.1 d"]);
  });

  it("count what is open and whether the queue grows", () => {
    expect(sumOf({ age: "day", open: { high: 2, low: 1 } })).toBe(3);
    expect(balance(page)).toBe(-2);
  });

  it("draw what came beside what was closed", () => {
    const option = inflow(page, { opened: "o", closed: "c" }, (at) => String(at))((name) => name) as { series: { type: string; data: number[] }[] };
    expect(option.series.map((one) => [one.type, one.data])).toEqual([
      ["bar", [3, 2]],
      ["line", [1, 6]],
    ]);
  });
});
