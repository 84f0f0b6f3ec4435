import { describe, expect, it } from "vitest";
import { flow, radar } from "../../src/wall/charts";

const color = (name: string) => name;

describe("drawings", () => {
  it("write an unknown layer as a dash and draw it at the middle", () => {
    const option = radar(["a", "b"], [0.75, null], 2)(color) as { radar: { indicator: { name: string }[] }; series: { data: { value: number[] }[] }[] };
    expect(option.radar.indicator.map((one) => one.name)).toEqual(["a\n75%", "b\n—"]);
    expect(option.series[0]?.data[0]?.value).toEqual([0.75, 0]);
  });

  it("grow with the screen", () => {
    const names = { opened: "o", closed: "c" };
    const option = flow([1, 2], [0, 1], names, 2, (ago) => `-${ago}`)(color) as { xAxis: { data: string[]; axisLabel: { fontSize: number } } };
    expect(option.xAxis.data).toEqual(["-1", "-0"]);
    expect(option.xAxis.axisLabel.fontSize).toBe(26);
  });
});
