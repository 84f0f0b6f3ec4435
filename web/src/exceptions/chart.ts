/** The drawing of what an exception held back. */
import type { EChartsCoreOption } from "echarts/core";
import { shortTime } from "../format";

interface Hour {
  hour: string;
  count: number;
}

const hour_ms = 3_600_000;

/** Every hour from the first to the last that is told, those without any as 0. */
export function filled(hours: readonly Hour[]): Hour[] {
  const known = new Map(hours.map((one) => [Date.parse(one.hour), one.count]));
  const times = [...known.keys()];
  const found: Hour[] = [];
  for (let at = Math.min(...times); at <= Math.max(...times); at += hour_ms) {
    found.push({ hour: new Date(at).toISOString(), count: known.get(at) ?? 0 });
  }
  return found;
}

/** Bars, one an hour. */
export function hourlyChart(hours: readonly Hour[]): (color: (name: string) => string) => EChartsCoreOption {
  const rows = filled(hours);
  const epoch = new Date(0); // far from any of them: the day is always told
  return (color) => ({
    grid: { left: 4, right: 4, top: 8, bottom: 20 },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: color("surface"), borderColor: color("line"), textStyle: { color: color("text"), fontSize: 12 } },
    xAxis: {
      type: "category",
      data: rows.map((row) => shortTime(row.hour, epoch)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: color("line") } },
      axisLabel: { color: color("text-2"), fontSize: 11 },
    },
    yAxis: { type: "value", show: false, minInterval: 1 },
    series: [{ type: "bar", data: rows.map((row) => row.count), barMaxWidth: 18, itemStyle: { color: color("accent"), borderRadius: [2, 2, 0, 0] } }],
  });
}
