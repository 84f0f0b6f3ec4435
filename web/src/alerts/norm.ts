/** What an anomaly counts against what is usual: rows of the panel, and the drawing of one. */
import type { EChartsCoreOption } from "echarts/core";
import type { CoursePage, MatchRow, Text } from "../api/types";
import { count, fullTime } from "../format";

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

/** Whether it is less than ever usual: silence, too, is told. */
export function isBelow(norm: Norm): boolean {
  const low = (norm.usual ?? norm.peers)?.[0];
  return low !== undefined && norm.value < Math.floor(low);
}

/** What the windows before counted of this; null where there is nothing to draw a line of. */
export function courseOf(page: CoursePage | undefined, field: string): number[] | null {
  const values = page?.rows.find((row) => row.field === field)?.values;
  return values && values.length >= 3 ? values : null;
}

const linear_max = 30;

// Ranges of 0 to 3 and a value of 4,000 fit one axis only by their logarithms, and 0 must have a place.
const squeeze = (wide: boolean) => (value: number) => (wide ? Math.log10(1 + Math.max(value, 0)) : value);
const spreadOut = (wide: boolean) => (value: number) => (wide ? Math.round(10 ** value - 1) : Math.round(value * 10) / 10);

/** The entity's past hour as a line, the unusual window its last point, over its peers' band and its own limits. */
export function courseDrawing(norm: Norm, values: readonly number[], starts: readonly string[]) {
  const spans = [norm.peers, norm.usual].filter((span): span is Span => span !== null);
  const most = Math.max(norm.value, ...values, ...spans.map((span) => span[1]), 1);
  const wide = most > linear_max;
  const [squeezed, spread] = [squeeze(wide), spreadOut(wide)];
  const clock = (start: string) => fullTime(start).slice(11, 16);
  const band = norm.peers ? { low: squeezed(norm.peers[0]), height: squeezed(norm.peers[1]) - squeezed(norm.peers[0]) } : null;
  return (color: (name: string) => string): EChartsCoreOption => ({
    grid: { left: 6, right: 14 + 8 * count(norm.value).length, top: 12, bottom: 2, containLabel: true },
    xAxis: { type: "category", boundaryGap: false, data: starts.map(clock), axisTick: { show: false }, axisLine: { lineStyle: { color: color("line") } }, axisLabel: { color: color("text-2"), fontSize: 11, interval: Math.max(0, Math.ceil(starts.length / 4) - 1) } },
    yAxis: { type: "value", min: 0, max: squeezed(most), interval: squeezed(most) / 2, axisLabel: { color: color("text-2"), fontSize: 11, formatter: (at: number) => count(spread(at)) }, splitLine: { lineStyle: { color: color("line") } } },
    series: [
      ...(band ? [bandOf(starts.length, band.low, "transparent", 0), bandOf(starts.length, Math.max(band.height, squeezed(most) / 60), color("line-strong"), 0.45)] : []),
      {
        type: "line",
        silent: true,
        symbol: "none",
        data: values.map(squeezed),
        lineStyle: { color: color("accent"), width: 1.6 },
        markLine: { silent: true, symbol: "none", lineStyle: { color: color("accent"), type: "dashed", width: 1 }, label: { show: false }, data: (norm.usual ?? []).map((limit) => ({ yAxis: squeezed(limit) })) },
      },
      {
        type: "line",
        silent: true,
        symbol: "circle",
        showAllSymbol: true, // a time without a label on its axis would have none
        symbolSize: 8,
        itemStyle: { color: color("red") },
        label: { show: true, position: "right", formatter: () => count(norm.value), color: color("text"), fontSize: 12, fontWeight: 600 },
        data: values.map((_, at) => (at === values.length - 1 ? squeezed(norm.value) : null)),
      },
    ],
  });
}

function bandOf(points: number, value: number, color: string, opacity: number) {
  return { type: "line", stack: "peers", silent: true, symbol: "none", lineStyle: { opacity: 0 }, areaStyle: { color, opacity }, data: Array.from({ length: points }, () => value) };
}

/** Ranges as bars, the value as a line across both. */
export function drawing(norm: Norm, names: { usual: string; peers: string }) {
  const rows = ([["peers", norm.peers], ["usual", norm.usual]] as const).flatMap(([name, span]) => (span ? [{ name, span }] : []));
  const most = Math.max(norm.value, ...rows.map((row) => row.span[1]), 1);
  const wide = most > linear_max;
  const [squeezed, spread] = [squeeze(wide), spreadOut(wide)];
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
