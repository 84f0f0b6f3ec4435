/** The checklist without a screen: filter and freshness. */
import type { CheckRow, Layer, LayerSummary, Verdict } from "../api/types";
import { verdicts } from "../tones";

export const layers: readonly Layer[] = ["physical", "network", "platform", "data", "application", "management"];

/** The checks of a layer and a verdict; '' means all. The order stays. */
export function narrowed(checks: readonly CheckRow[], layer: string, verdict: string): CheckRow[] {
  return checks.filter((check) => (!layer || check.layer === layer) && (!verdict || check.verdict === verdict));
}

/** How many checks a layer has. */
export function total(summary: LayerSummary): number {
  return verdicts.reduce((sum, verdict) => sum + (summary.counts[verdict] ?? 0), 0);
}

/** Counts of all verdicts, worst first, zeros left out. */
export function tally(summary: LayerSummary): { verdict: Verdict; n: number }[] {
  return verdicts.map((verdict) => ({ verdict, n: summary.counts[verdict] ?? 0 })).filter((part) => part.n > 0);
}

/** Whether the evidence of a check is past its time. */
export function isStale(check: CheckRow, now: Date): boolean {
  return check.stale_at !== null && Date.parse(check.stale_at) <= now.getTime();
}
