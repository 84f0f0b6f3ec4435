/** Keys of the alert queue; the help shows the same table. */

export type QueueKey =
  | "down"
  | "up"
  | "extendDown"
  | "extendUp"
  | "first"
  | "last"
  | "select"
  | "all"
  | "expand"
  | "open"
  | "leave"
  | "acknowledge"
  | "close"
  | "escalate"
  | "assign"
  | "assignOther"
  | "snooze"
  | "note"
  | "merge"
  | "reopen"
  | "undo"
  | "except"
  | "create"
  | "fresh"
  | "search";

const keys: Record<string, QueueKey> = {
  j: "down",
  ArrowDown: "down",
  k: "up",
  ArrowUp: "up",
  J: "extendDown",
  K: "extendUp",
  Home: "first",
  End: "last",
  x: "select",
  X: "all",
  o: "expand",
  Enter: "open",
  Escape: "leave",
  a: "acknowledge",
  c: "close",
  e: "escalate",
  m: "assign",
  M: "assignOther",
  s: "snooze",
  n: "note",
  u: "merge",
  r: "reopen",
  z: "undo",
  t: "except",
  N: "create",
  ".": "fresh",
  "/": "search",
};

/** What the help shows: keys and the action behind them, in the order of a shift. */
export const shown: readonly { keys: string[]; action: QueueKey }[] = [
  { keys: ["j", "↓"], action: "down" },
  { keys: ["k", "↑"], action: "up" },
  { keys: ["Shift", "J / K"], action: "extendDown" },
  { keys: ["Home"], action: "first" },
  { keys: ["End"], action: "last" },
  { keys: ["x"], action: "select" },
  { keys: ["Shift", "X"], action: "all" },
  { keys: ["o"], action: "expand" },
  { keys: ["Enter"], action: "open" },
  { keys: ["Esc"], action: "leave" },
  { keys: ["a"], action: "acknowledge" },
  { keys: ["c"], action: "close" },
  { keys: ["e"], action: "escalate" },
  { keys: ["m"], action: "assign" },
  { keys: ["Shift", "M"], action: "assignOther" },
  { keys: ["s"], action: "snooze" },
  { keys: ["n"], action: "note" },
  { keys: ["u"], action: "merge" },
  { keys: ["r"], action: "reopen" },
  { keys: ["z"], action: "undo" },
  { keys: ["t"], action: "except" },
  { keys: ["Shift", "N"], action: "create" },
  { keys: ["."], action: "fresh" },
  { keys: ["/"], action: "search" },
];

/** What a key press asks of the queue, or null where it is meant for a field, a button or a dialog. */
export function queueKey(event: KeyboardEvent): QueueKey | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const target = event.target as HTMLElement | null;
  if (target?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], .el-dialog, [role=dialog]")) return null;
  const arrow = event.key.startsWith("Arrow") && event.shiftKey;
  const found = arrow ? (event.key === "ArrowDown" ? "extendDown" : event.key === "ArrowUp" ? "extendUp" : null) : (keys[event.key] ?? null);
  if (found === "open" && target?.closest?.("button, a, summary")) return null;
  return found;
}
