/** The pictures of a report for the screen, drawn from the numbers the printed ones are drawn from. */
import type { EChartsCoreOption } from "echarts/core";
import type { ReportChart } from "../api/types";

type Color = (name: string) => string;

/** Colours of series in their order; a stack of alerts goes from the gravest to the least. */
const stacked = ["red", "orange", "amber", "blue", "grey"] as const;
const plain = ["accent", "grey"] as const;

/** Whether there is anything to draw: a picture of nothing would look like a picture of zero. */
export function drawable(chart: ReportChart): boolean {
  return chart.labels.length > 0 && chart.series.some((one) => one.values.some((value) => value !== null));
}

/** A value as the table beside it says it. */
export function shown(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "—";
  const text = Number.isInteger(value) ? String(value) : value.toFixed(1);
  return unit === "%" ? `${text} %` : text;
}

/** The form it is drawn in: a radar with gaps would show what nobody knows as zero, so it lies as bars. */
export function form(chart: ReportChart): ReportChart["kind"] {
  const known = chart.labels.every((_, at) => typeof chart.series[0]?.values[at] === "number");
  return chart.kind === "radar" && !known ? "bars" : chart.kind;
}

/** How tall a picture must be for its labels to be read. */
export function height(chart: ReportChart): number {
  return form(chart) === "radar" || chart.kind === "line" ? 240 : Math.min(460, 60 + 30 * chart.labels.length);
}

/** The drawing of a chart; a row nobody knows anything of has no place in it. */
export function drawing(whole: ReportChart): (color: Color) => EChartsCoreOption {
  const chart = { ...whole, series: whole.series.filter((one) => one.values.some((value) => value !== null)) };
  return (color) => {
    const common = {
      tooltip: {
        trigger: form(chart) === "radar" ? "item" : "axis",
        renderMode: "richText", // no markup with style attributes: the content security policy forbids them
        backgroundColor: color("surface"),
        borderColor: color("line"),
        textStyle: { color: color("text"), fontSize: 12 },
        valueFormatter: (value: number | null) => shown(value, chart.unit),
      },
      legend: { show: chart.series.length > 1, bottom: 0, itemHeight: 8, itemWidth: 14, textStyle: { color: color("text-2"), fontSize: 12 } },
    };
    if (form(chart) === "radar") return { ...common, ...radar(chart, color) };
    return { ...common, ...(chart.kind === "line" ? lines(chart, color) : bars(chart, color)) };
  };
}

function radar(chart: ReportChart, color: Color): EChartsCoreOption {
  return {
    radar: {
      indicator: chart.labels.map((name) => ({ name, max: chart.limit || undefined })),
      radius: "62%",
      center: ["50%", "46%"],
      axisName: { color: color("text-2"), fontSize: 12 },
      axisLine: { lineStyle: { color: color("line") } },
      splitLine: { lineStyle: { color: color("line") } },
      splitArea: { show: false },
    },
    series: [
      {
        type: "radar",
        symbolSize: 5,
        data: chart.series.map((one, at) => ({
          name: one.name,
          value: one.values,
          lineStyle: { color: color(plain[at] ?? "grey"), width: 2, type: at ? "dashed" : "solid" },
          itemStyle: { color: color(plain[at] ?? "grey") },
        })),
      },
    ],
  };
}

function lines(chart: ReportChart, color: Color): EChartsCoreOption {
  return {
    grid: { left: 8, right: 16, top: 16, bottom: chart.series.length > 1 ? 32 : 8, containLabel: true },
    xAxis: { type: "category", data: chart.labels, ...axis(color) },
    yAxis: { type: "value", max: chart.limit || undefined, min: 0, ...axis(color) },
    series: chart.series.map((one, at) => ({
      type: "line",
      name: one.name,
      data: one.values,
      symbolSize: 6,
      lineStyle: { color: color(plain[at] ?? "grey"), width: 2 },
      itemStyle: { color: color(plain[at] ?? "grey") },
    })),
  };
}

/** Lying bars: names of units and categories are long. */
function bars(chart: ReportChart, color: Color): EChartsCoreOption {
  const stack = chart.kind === "stack";
  const mark = { silent: true, symbol: "none", label: { color: color("text-2") }, lineStyle: { color: color("red"), type: "dashed" }, data: [{ xAxis: chart.mark }] };
  return {
    grid: { left: 8, right: 40, top: chart.mark ? 20 : 8, bottom: chart.series.length > 1 ? 32 : 8, containLabel: true },
    xAxis: { type: "value", min: 0, max: chart.limit || undefined, minInterval: chart.unit === "%" ? undefined : 1, ...axis(color) },
    yAxis: { type: "category", data: chart.labels.map((label, at) => (unknown(chart, at) ? `${label}  —` : label)), inverse: true, ...axis(color) },
    series: chart.series.map((one, at) => ({
      type: "bar",
      name: one.name,
      stack: stack ? "all" : undefined,
      data: one.values,
      barMaxWidth: 18,
      itemStyle: { color: color(stack ? (stacked[at] ?? "grey") : (plain[at] ?? "grey")) },
      label: { show: !stack, position: "right", color: color("text"), formatter: (given: { value: number | null }) => shown(given.value, chart.unit) },
      markLine: chart.mark && at === 0 ? mark : undefined,
    })),
  };
}

/** Whether nothing is known of a label: no bar is drawn, and that must not look like zero. */
function unknown(chart: ReportChart, at: number): boolean {
  return chart.series.every((one) => one.values[at] === null || one.values[at] === undefined);
}

function axis(color: Color) {
  return {
    axisTick: { show: false },
    axisLine: { lineStyle: { color: color("line") } },
    splitLine: { lineStyle: { color: color("line") } },
    axisLabel: { color: color("text-2"), fontSize: 12 },
  };
}

/** The same chart with its words told by `word`: the report is printed in Chinese only. */
export function translated(chart: ReportChart, word: (printed: string) => string): ReportChart {
  return { ...chart, labels: chart.labels.map(word), series: chart.series.map((one) => ({ ...one, name: word(one.name) })) };
}
