/** The numbers of a shift as the first page shows them. */
import type { EChartsCoreOption } from "echarts/core";
import type { ShiftPage } from "../api/types";
import type { Language } from "../preferences";
import { severities, type Tone } from "../tones";

type Age = ShiftPage["ages"][number];

const span_units: Record<Language, readonly [string, string, string, string]> = { zh: ["秒", "分钟", "小时", "天"], en: ["s", "min", "h", "d"] };

/** 45 s, 12 min, 3.5 h, 2.1 d in the reader's words; nothing known is a dash. */
export function spanText(seconds: number | null, language: Language): string {
  if (seconds === null) return "—";
  const [second, minute, hour, day] = span_units[language];
  if (seconds < 60) return `${Math.round(seconds)} ${second}`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} ${minute}`;
  if (seconds < 86_400) return `${(seconds / 3_600).toFixed(1)} ${hour}`;
  return `${(seconds / 86_400).toFixed(1)} ${day}`;
}

/** How many of a severity there are, of all ages. */
export function sumIn(ages: readonly Age[], severity: (typeof severities)[number]): number {
  return ages.reduce((sum, age) => sum + (age.open[severity] ?? 0), 0);
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

const tip = (color: (name: string) => string) => ({
  renderMode: "richText", // no markup with style attributes: the content security policy forbids them
  backgroundColor: color("surface"),
  borderColor: color("line"),
  textStyle: { color: color("text"), fontSize: 12 },
});

/** Alerts by the hour as bars; the last one is the present. */
export function hourly(values: readonly number[], nameOf: (ago: number) => string): (color: (name: string) => string) => EChartsCoreOption {
  return (color) => ({
    grid: { left: 4, right: 4, top: 10, bottom: 18, containLabel: false },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, ...tip(color) },
    xAxis: {
      type: "category",
      data: values.map((_, at) => nameOf(values.length - 1 - at)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: color("line") } },
      axisLabel: { color: color("text-2"), fontSize: 11, interval: (at: number) => at === 0 || at === values.length - 1, alignMinLabel: "left", alignMaxLabel: "right" },
    },
    yAxis: { type: "value", show: false, minInterval: 1 },
    series: [{ type: "bar", data: [...values], barCategoryGap: "28%", itemStyle: { color: color("accent"), borderRadius: [2, 2, 0, 0] } }],
  });
}

/** Parts of a whole as a ring; parts of nothing are left out. */
export function ring(parts: readonly { name: string; value: number; tone: Tone }[]): (color: (name: string) => string) => EChartsCoreOption {
  return (color) => ({
    tooltip: tip(color),
    series: [
      {
        type: "pie",
        radius: ["62%", "92%"],
        label: { show: false },
        itemStyle: { borderColor: color("surface"), borderWidth: 2 },
        data: parts.filter((part) => part.value > 0).map((part) => ({ name: part.name, value: part.value, itemStyle: { color: color(part.tone) } })),
      },
    ],
  });
}

/** Groups opened (bars) and closed (a dashed line) by the hour. */
export function inflow(page: ShiftPage, names: { opened: string; closed: string }, hour: (at: number) => string): (color: (name: string) => string) => EChartsCoreOption {
  return (color) => ({
    grid: { left: 34, right: 6, top: 28, bottom: 20 },
    legend: { top: 0, right: 0, itemWidth: 16, itemHeight: 9, textStyle: { color: color("text-2"), fontSize: 12 } },
    tooltip: { trigger: "axis", ...tip(color) },
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
