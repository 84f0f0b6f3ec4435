/** The numbers of a shift as the first page shows them. */
import type { EChartsCoreOption } from "echarts/core";
import type { ShiftPage } from "../api/types";
import { severities } from "../tones";

type Age = ShiftPage["ages"][number];

/** 45 s, 12 min, 3.5 h, 2.1 d; nothing known is a dash. */
export function spanText(seconds: number | null): string {
  if (seconds === null) return "—";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `${(seconds / 3_600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}

/** How many there are of an age. */
export function sumOf(age: Age): number {
  return severities.reduce((sum, name) => sum + (age.open[name] ?? 0), 0);
}

/** What the queue has gained in these hours; below 0 it shrank. */
export function balance(page: ShiftPage): number {
  const sum = (values: readonly number[]) => values.reduce((all, n) => all + n, 0);
  return sum(page.opened_per_hour) - sum(page.closed_per_hour);
}

/** Groups opened (bars) and closed (a dashed line) by the hour. */
export function inflow(page: ShiftPage, names: { opened: string; closed: string }, hour: (at: number) => string): (color: (name: string) => string) => EChartsCoreOption {
  return (color) => ({
    grid: { left: 34, right: 6, top: 28, bottom: 20 },
    legend: { top: 0, right: 0, itemWidth: 16, itemHeight: 9, textStyle: { color: color("text-2"), fontSize: 12 } },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: color("surface"), borderColor: color("line"), textStyle: { color: color("text"), fontSize: 12 } },
    xAxis: {
      type: "category",
      data: page.opened_per_hour.map((_, at) => hour(at)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: color("line") } },
      axisLabel: { color: color("text-2"), fontSize: 11, interval: 3 },
    },
    yAxis: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: color("line") } }, axisLabel: { color: color("text-2"), fontSize: 11 } },
    series: [
      { type: "bar", name: names.opened, data: [...page.opened_per_hour], barCategoryGap: "34%", itemStyle: { color: color("accent"), borderRadius: [2, 2, 0, 0] } },
      { type: "line", name: names.closed, data: [...page.closed_per_hour], symbol: "diamond", symbolSize: 6, lineStyle: { type: "dashed", color: color("green") }, itemStyle: { color: color("green") } },
    ],
  });
}
