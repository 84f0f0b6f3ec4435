/** Keys of every list with details beside it, as in the queue of alerts; the help shows the same table. */
import { queueKey } from "./alerts/keys";

export type ListKey = "down" | "up" | "open" | "leave" | "search";

/** What the help shows. */
export const listShown: readonly { keys: string[]; action: ListKey }[] = [
  { keys: ["j", "↓"], action: "down" },
  { keys: ["k", "↑"], action: "up" },
  { keys: ["Enter"], action: "open" },
  { keys: ["Esc"], action: "leave" },
  { keys: ["/"], action: "search" },
];

const opener = "a[href], button";

/** What opens each row: its first link or button. */
function openers(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>("tbody tr")].flatMap((row) => row.querySelector<HTMLElement>(opener) ?? []);
}

/** The place of the row under the cursor: the one that holds the focus, else the one that is open; -1 for none. */
function place(list: HTMLElement, those: readonly HTMLElement[]): number {
  const focused = those.findIndex((one) => one.closest("tr")?.contains(list.ownerDocument.activeElement));
  return focused >= 0 ? focused : those.findIndex((one) => one.closest("tr")?.classList.contains("on"));
}

/** What opens the row that is open now: where the focus goes when its details are left. */
export function openRow(list: HTMLElement): HTMLElement | null {
  return list.querySelector<HTMLElement>("tr.on")?.querySelector<HTMLElement>(opener) ?? null;
}

/** Go to the next or the previous row; where details are open, to its details. False where there is no row. */
export function stepIn(list: HTMLElement, by: 1 | -1, open: boolean): boolean {
  const those = openers(list);
  const at = place(list, those);
  const next = those[at < 0 ? 0 : Math.min(Math.max(at + by, 0), those.length - 1)];
  if (!next) return false;
  next.focus();
  if (open && those.indexOf(next) !== at) next.closest("tr")?.click();
  return true;
}

/** Whether a dialog stands over the page: its keys are its own, wherever the focus went. */
function inDialog(page: Document): boolean {
  return [...page.querySelectorAll<HTMLElement>(".el-overlay")].some((one) => one.style.display !== "none");
}

/** Do what a key asks of a list and the details beside it; false where it is none of theirs. */
export function pressedIn(event: KeyboardEvent, list: HTMLElement, side: HTMLElement | undefined): boolean {
  const key = inDialog(list.ownerDocument) ? null : queueKey(event);
  if (key === "down") return stepIn(list, 1, !!side);
  if (key === "up") return stepIn(list, -1, !!side);
  if (key === "leave" && side) {
    side.querySelector<HTMLElement>("[data-testid=flyout-close]")?.click();
    return true;
  }
  if (key === "leave" && list.contains(document.activeElement)) {
    (document.activeElement as HTMLElement).blur();
    return true;
  }
  if (key !== "search") return false;
  const page = list.closest(".page");
  const box = page?.querySelector<HTMLElement>("input[type=search], [role=search] [role=combobox]") ?? page?.querySelector<HTMLElement>("select");
  box?.focus();
  return !!box;
}
