/** Keys of the alert queue. */

export type QueueKey = "down" | "up" | "open" | "acknowledge" | "close" | "leave" | "search" | "help";

const keys: Record<string, QueueKey> = {
  j: "down",
  ArrowDown: "down",
  k: "up",
  ArrowUp: "up",
  Enter: "open",
  a: "acknowledge",
  c: "close",
  Escape: "leave",
  "/": "search",
  "?": "help",
};

/** What a key press asks of the queue, or null where it is meant for a field, a button or a dialog. */
export function queueKey(event: KeyboardEvent): QueueKey | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const target = event.target as HTMLElement | null;
  if (target?.closest?.("input, textarea, select, [contenteditable], .el-dialog")) return null;
  const found = keys[event.key] ?? null;
  if (found === "open" && target?.closest?.("button, a, summary")) return null;
  return found;
}
