/** Items of the self-assessment as the page lists them. */
import type { GroupRow, ItemRow, Verdict } from "../api/types";
import { verdicts } from "../tones";

export interface ItemFilter {
  verdict: Verdict | "";
  domain: string;
  layer: string;
  text: string;
}

export const allItems: ItemFilter = { verdict: "", domain: "", layer: "", text: "" };

/** The items a filter leaves, in the order of the catalogue. */
export function itemsShown(items: readonly ItemRow[], filter: ItemFilter): ItemRow[] {
  const wanted = filter.text.trim().toLowerCase();
  return items.filter(
    (item) =>
      (!filter.verdict || item.verdict === filter.verdict) &&
      (!filter.domain || item.domain === filter.domain) &&
      (!filter.layer || item.layer === filter.layer) &&
      (!wanted || [item.id, item.reference, item.point, item.summary, item.unit].join("\n").toLowerCase().includes(wanted)),
  );
}

/** The verdicts of a group that there are, worst first. */
export function tallyOf(group: GroupRow): { verdict: Verdict; n: number }[] {
  return verdicts.map((verdict) => ({ verdict, n: group.counts[verdict] ?? 0 })).filter((part) => part.n > 0);
}

/** 87.5 %; a dash where nothing is decided. */
export function rateText(rate: number | null): string {
  return rate === null ? "—" : `${rate.toFixed(1)} %`;
}

/** Kind and name of an object's id. */
export function objectParts(id: string): [string, string] {
  const at = id.indexOf(":");
  return at < 0 ? ["", id] : [id.slice(0, at), id.slice(at + 1)];
}
