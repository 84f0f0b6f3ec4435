/** The two drawings of the wall display; sizes are in units of its height. */
import type { EChartsCoreOption } from "echarts/core";

type Draw = (color: (name: string) => string) => EChartsCoreOption;

/** Six layers, each with the share that complies; unknown ones stand at the middle. */
export function radar(names: readonly string[], shares: readonly (number | null)[], unit: number): Draw {
  return (color) => ({
    radar: {
      indicator: names.map((name, at) => ({ name: `${name}\n${shares[at] === null || shares[at] === undefined ? "—" : `${Math.floor((shares[at] ?? 0) * 100)}%`}`, max: 1 })),
      radius: "60%",
      center: ["50%", "53%"],
      axisName: { color: color("text"), fontSize: 14 * unit, lineHeight: 18 * unit },
      axisNameGap: 8 * unit,
      splitNumber: 4,
      splitLine: { lineStyle: { color: color("line") } },
      splitArea: { show: false },
      axisLine: { lineStyle: { color: color("line") } },
    },
    series: [
      {
        type: "radar",
        symbolSize: 6 * unit,
        silent: true,
        lineStyle: { width: 2 * unit, color: color("accent") },
        itemStyle: { color: color("accent") },
        areaStyle: { color: color("accent"), opacity: 0.25 },
        data: [{ value: shares.map((share) => share ?? 0) }],
      },
    ],
  });
}

/** Opened and closed groups of the last hours; they differ by line and bar, not by colour alone. */
export function flow(opened: readonly number[], closed: readonly number[], names: { opened: string; closed: string }, unit: number, hour: (ago: number) => string): Draw {
  return (color) => ({
    grid: { left: 44 * unit, right: 10 * unit, top: 34 * unit, bottom: 26 * unit },
    legend: { top: 0, right: 0, itemWidth: 18 * unit, itemHeight: 10 * unit, textStyle: { color: color("text"), fontSize: 14 * unit } },
    xAxis: {
      type: "category",
      data: opened.map((_, at) => hour(opened.length - 1 - at)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: color("line") } },
      axisLabel: { color: color("text-2"), fontSize: 13 * unit, interval: 3 },
    },
    yAxis: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: color("line") } }, axisLabel: { color: color("text-2"), fontSize: 13 * unit } },
    series: [
      { type: "bar", name: names.opened, data: [...opened], silent: true, barCategoryGap: "36%", itemStyle: { color: color("accent"), borderRadius: [2 * unit, 2 * unit, 0, 0] } },
      { type: "line", name: names.closed, data: [...closed], silent: true, symbol: "diamond", symbolSize: 7 * unit, lineStyle: { width: 2 * unit, type: "dashed", color: color("green") }, itemStyle: { color: color("green") } },
    ],
  });
}
