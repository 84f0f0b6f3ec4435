import { describe, expect, it } from "vitest";
import { looseMatches } from "../../src/alerts/fields";
import { courseDrawing, courseOf, drawing, isBelow, norms, oneIn, spanText, timesBeyond, type Norm } from "../../src/alerts/norm";
import type { MatchRow } from "../../src/api/types";

const label = { zh: "登录失败数", en: "failed logins" };
const match = (over: Partial<MatchRow>): MatchRow => ({ event: "e", field: "logins_failed", value: 400, selection: "", usual: [0, 3], peers: [0, 12], label, one_in: 40000, last: null, ...over });
const norm = (over: Partial<Norm> = {}): Norm => ({ ...(norms([match({})])[0] as Norm), ...over });

describe("norms", () => {
  it("are the labelled counts, three at most, and never plain matches", () => {
    const plain = match({ label: null, field: "user.name", value: "root" });
    expect(norms([plain, match({}), match({ value: "x" })])).toHaveLength(1);
    expect(norms(Array.from({ length: 5 }, () => match({})))).toHaveLength(3);
    expect(looseMatches([], [plain, match({})])).toEqual([plain]);
  });
  it("tell how rare the window is", () => {
    expect(oneIn([match({ one_in: null }), match({})])).toBe(40000);
    expect(oneIn([])).toBeNull();
  });
  it("tell how far beyond the own range, else the peers', a value is", () => {
    expect(timesBeyond(norm({ value: 30 }))).toBe(10);
    expect(timesBeyond(norm({ value: 24, usual: null }))).toBe(2);
    expect(timesBeyond(norm({ value: 2 }))).toBeNull();
    expect(timesBeyond(norm({ value: 9, usual: [0, 0] }))).toBeNull();
  });
  it("say a range, or that it is not known", () => {
    expect(spanText([0, 1200.4], "?")).toBe("0–1,200");
    expect(spanText([3, 3], "?")).toBe("3");
    expect(spanText(null, "?")).toBe("?");
  });
});

describe("the drawing", () => {
  const names = { usual: "own", peers: "peers" };
  const drawn = (one: Norm) => drawing(one, names)((name) => name) as { yAxis: { data: string[] }; series: { data: unknown[]; markLine?: { data: { xAxis: number }[] } }[] };
  it("has a bar for each range known, the own one on top", () => {
    expect(drawn(norm()).yAxis.data).toEqual(["peers", "own"]);
    expect(drawn(norm({ usual: null })).yAxis.data).toEqual(["peers"]);
  });
  it("puts the value right of ranges it lies beyond, by logarithms", () => {
    const [from, to] = drawn(norm()).series as [{ data: number[] }, { data: { value: number }[]; markLine: { data: { xAxis: number }[] } }];
    const mark = to.markLine.data[0]?.xAxis ?? 0;
    expect(mark).toBeCloseTo(Math.log10(401));
    expect((from.data[0] ?? 0) + (to.data[0]?.value ?? 0)).toBeLessThan(mark);
  });
  it("gives a range of one number a width", () => {
    const [, to] = drawn(norm({ usual: [0, 0] })).series as [unknown, { data: { value: number }[] }];
    expect(to.data[1]?.value).toBeGreaterThan(0);
  });
});

describe("the past hour", () => {
  const page = { window_seconds: 60, starts: ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"], rows: [{ field: "logins_failed", values: [0, 2, 400] }] };
  const drawn = (one: Norm) => courseDrawing(one, [0, 2, 400], page.starts)((name) => name) as { xAxis: { data: string[] }; series: { stack?: string; data: (number | null)[]; markLine?: { data: unknown[] } }[] };
  it("is that of its count, and none of fewer than three windows", () => {
    expect(courseOf(page, "logins_failed")).toEqual([0, 2, 400]);
    expect(courseOf(page, "ports")).toBeNull();
    expect(courseOf({ ...page, rows: [{ field: "ports", values: [1, 2] }] }, "ports")).toBeNull();
    expect(courseOf(undefined, "ports")).toBeNull();
  });
  it("lies over the peers' band, between its own limits, and ends in the unusual window", () => {
    const { series, xAxis } = drawn(norm());
    expect(xAxis.data).toEqual(["08:00", "08:01", "08:02"]);
    expect(series.map((one) => one.stack)).toEqual(["peers", "peers", undefined, undefined]);
    expect(series[2]?.markLine?.data).toHaveLength(2);
    expect(series[2]?.data[2]).toBeCloseTo(Math.log10(401));
    expect(series[3]?.data).toEqual([null, null, Math.log10(401)]);
  });
  it("does without what is not known", () => {
    const { series } = drawn(norm({ usual: null, peers: null }));
    expect(series).toHaveLength(2);
    expect(series[0]?.markLine?.data).toEqual([]);
  });
  it("says where a value is less than usual", () => {
    expect(isBelow(norm({ value: 1, usual: [5, 9] }))).toBe(true);
    expect(isBelow(norm({ value: 5, usual: [5.4, 9] }))).toBe(false);
    expect(isBelow(norm({ value: 0, usual: null, peers: null }))).toBe(false);
  });
});
