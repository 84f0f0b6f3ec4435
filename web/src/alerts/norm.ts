/** What an anomaly counts against what is usual: rows of the panel, and the drawing of one. */
import type { EChartsCoreOption } from "echarts/core";
import type { MatchRow, Text } from "../api/types";
import { count } from "../format";

export type Span = readonly [number, number];

/** One count of an unusual window; `usual` is the entity's own, `peers` that of its peers. */
export interface Norm {
  field: string;
  label: Text;
  value: number;
  usual: Span | null;
  peers: Span | null;
  last: string | null;
}

const shown_max = 3;

/** The counts among the matches, as the detector ranked them. */
export function norms(matches: readonly MatchRow[]): Norm[] {
  const found: Norm[] = [];
  for (const one of matches) {
    if (!one.label || typeof one.value !== "number") continue;
    const [usual, peers] = [one.usual ?? null, one.peers ?? null] as [Span | null, Span | null];
    found.push({ field: one.field, label: one.label, value: one.value, usual, peers, last: one.last ?? null });
  }
  return found.slice(0, shown_max);
}

/** Of how many windows one is as rare; null where nothing says so. */
export function oneIn(matches: readonly MatchRow[]): number | null {
  return matches.find((one) => typeof one.one_in === "number")?.one_in ?? null;
}

/** A range in words. */
export function spanText(span: Span | null, unknown: string): string {
  if (!span) return unknown;
  const [low, high] = span.map((one) => count(Math.round(one)));
  return low === high ? String(low) : `${low}–${high}`;
}

/** How many times the upper end of a range the value is; null inside it or where that says nothing. */
export function timesBeyond(norm: Norm): number | null {
  const high = (norm.usual ?? norm.peers)?.[1];
  return high === undefined || high < 1 || norm.value <= high ? null : norm.value / high;
}

const linear_max = 30;

/** Ranges as bars, the value as a line across both. */
export function drawing(norm: Norm, names: { usual: string; peers: string }) {
  const rows = ([["peers", norm.peers], ["usual", norm.usual]] as const).flatMap(([name, span]) => (span ? [{ name, span }] : []));
  const most = Math.max(norm.value, ...rows.map((row) => row.span[1]), 1);
  // Ranges of 0 to 3 and a value of 4,000 fit one axis only by their logarithms, and 0 must have a place.
  const wide = most > linear_max;
  const squeezed = (value: number) => (wide ? Math.log10(1 + Math.max(value, 0)) : value);
  const spread = (value: number) => (wide ? Math.round(10 ** value - 1) : Math.round(value * 10) / 10);
  // A range of one number still needs a width to be seen.
  const thin = squeezed(most) / 60;
  return (color: (name: string) => string): EChartsCoreOption => ({
    grid: { left: 6, right: 26, top: 16, bottom: 4, containLabel: true },
    xAxis: {
      type: "value",
      min: 0,
      max: squeezed(most),
      interval: squeezed(most) / (most < 3 ? most : 3),
      axisLabel: { color: color("text-2"), fontSize: 11, formatter: (at: number) => count(spread(at)) },
      splitLine: { lineStyle: { color: color("line") } },
    },
    yAxis: { type: "category", data: rows.map((row) => names[row.name]), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: color("text-2"), fontSize: 12 } },
    series: [
      { type: "bar", stack: "span", silent: true, barWidth: 10, itemStyle: { color: "transparent" }, data: rows.map((row) => squeezed(row.span[0])) },
      {
        type: "bar",
        stack: "span",
        silent: true,
        barWidth: 10,
        data: rows.map((row) => ({ value: Math.max(squeezed(row.span[1]) - squeezed(row.span[0]), thin), itemStyle: { color: color(row.name === "usual" ? "accent" : "line-strong") } })),
        markLine: {
          silent: true,
          symbol: ["none", "circle"],
          symbolSize: 7,
          lineStyle: { color: color("red"), width: 2, type: "solid" },
          label: { formatter: () => count(norm.value), color: color("text"), fontSize: 12, fontWeight: 600 },
          data: [{ xAxis: squeezed(norm.value) }],
        },
      },
    ],
  });
}
