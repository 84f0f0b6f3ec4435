import { describe, expect, it } from "vitest";
import type { ShiftPage } from "../../src/api/types";
import { balance, hourly, inflow, ring, spanText, sumIn, sumOf } from "../../src/overview/shift";

const page = { opened_per_hour: [3, 2], closed_per_hour: [1, 6] } as ShiftPage;

describe("numbers of a shift", () => {
  it("write spans as people say them", () => {
    expect([null, 45, 720, 12_600, 181_440].map((one) => spanText(one, "en"))).toEqual(["—", "45 s", "12 min", "3.5 h", "2.1 d"]);
    expect(spanText(720, "zh")).toBe("12 分钟");
  });

  it("count what is open and whether the queue grows", () => {
    expect(sumOf({ age: "day", open: { high: 2, low: 1 } })).toBe(3);
    expect(sumIn([{ age: "hour", open: { high: 2 } }, { age: "day", open: { high: 1, low: 4 } }], "high")).toBe(3);
    expect(balance(page)).toBe(-2);
  });

  it("name the hours from the past to the present, and leave out parts of nothing", () => {
    const hours = hourly([4, 0, 1], (ago) => `-${ago}`)((name) => name) as { xAxis: { data: string[] } };
    expect(hours.xAxis.data).toEqual(["-2", "-1", "-0"]);
    const parts = ring([{ name: "a", value: 2, tone: "green" }, { name: "b", value: 0, tone: "red" }])((name) => name) as { series: { data: { name: string }[] }[] };
    expect(parts.series[0]?.data.map((part) => part.name)).toEqual(["a"]);
  });

  it("draw what came beside what was closed", () => {
    const option = inflow(page, { opened: "o", closed: "c" }, (at) => String(at))((name) => name) as { series: { type: string; data: number[] }[] };
    expect(option.series.map((one) => [one.type, one.data])).toEqual([
      ["bar", [3, 2]],
      ["line", [1, 6]],
    ]);
  });
});
