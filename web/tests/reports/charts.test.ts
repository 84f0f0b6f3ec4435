import { describe, expect, it } from "vitest";
import type { ReportChart } from "../../src/api/types";
import { drawable, drawing, form, height, shown, translated } from "../../src/reports/charts";

const chart = (over: Partial<ReportChart> = {}): ReportChart => ({
  kind: "bars",
  title: "图 3",
  labels: ["甲", "乙"],
  series: [{ name: "符合率", values: [50, null] }],
  unit: "%",
  limit: 100,
  mark: 0,
  ...over,
});
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const drawn = (over: Partial<ReportChart> = {}): any => drawing(chart(over))((name) => `--${name}`);

describe("charts of a report", () => {
  it("of nothing are not drawn", () => {
    expect(drawable(chart())).toBe(true);
    expect(drawable(chart({ labels: [] }))).toBe(false);
    expect(drawable(chart({ series: [{ name: "a", values: [null, null] }] }))).toBe(false);
  });

  it("say what is not known by a dash, never by zero", () => {
    expect([shown(null, "%"), shown(0, "%"), shown(33.333, "%"), shown(4, "天")]).toEqual(["—", "0 %", "33.3 %", "4"]);
  });

  it("keep the axis of the report and its mark", () => {
    expect(drawn().xAxis.max).toBe(100);
    expect(drawn({ kind: "spans", unit: "天", limit: 0, mark: 180 }).series[0].markLine.data).toEqual([{ xAxis: 180 }]);
    expect(drawn().series[0].markLine).toBeUndefined();
    expect(drawn({ kind: "line" }).yAxis.max).toBe(100);
  });

  it("stack the severities in their colours", () => {
    const series = ["严重", "高"].map((name) => ({ name, values: [1, 2] }));
    const found = drawn({ kind: "stack", series, unit: "", limit: 0 });
    expect(found.series.map((one: { stack: string; itemStyle: { color: string } }) => [one.stack, one.itemStyle.color])).toEqual([
      ["all", "--red"],
      ["all", "--orange"],
    ]);
    expect(found.legend.show).toBe(true);
  });

  it("leave out a former month nobody knows of", () => {
    const series = [
      { name: "本期", values: [1, 2] },
      { name: "上期", values: [null, null] },
    ];
    expect(drawn({ kind: "radar", series }).series[0].data).toHaveLength(1);
    expect(drawn({ series }).legend.show).toBe(false);
  });

  it("turn a radar with gaps into bars, unknown ones marked", () => {
    const found = drawn({ kind: "radar" });
    expect(form(chart({ kind: "radar" }))).toBe("bars");
    expect(form(chart({ kind: "radar", series: [{ name: "a", values: [1, 2] }] }))).toBe("radar");
    expect(found.yAxis.data).toEqual(["甲", "乙  —"]);
  });

  it("are told in the reader's words", () => {
    const found = translated(chart(), (printed) => (printed === "甲" ? "A" : printed));
    expect([found.labels, found.series[0]?.name]).toEqual([["A", "乙"], "符合率"]);
  });

  it("grow with their labels, within bounds", () => {
    expect(height(chart())).toBe(120);
    expect(height(chart({ labels: Array.from({ length: 40 }, () => "x") }))).toBe(460);
    expect(height(chart({ kind: "line" }))).toBe(240);
  });
});
