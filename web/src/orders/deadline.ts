/** How far an order's time has run, and the figures people look at. */
import type { OrderRow, OrderStatistics } from "../api/types";
import type { Look } from "../tones";

/** Where reminders are sent, in percent of the time an order has. */
export const marks: readonly number[] = [50, 80, 100];

/** Percent of the time that is over at `now` (at the end of a closed one), 0 to 100 and more when late. */
export function elapsed(order: Pick<OrderRow, "issued" | "deadline" | "closed">, now: Date): number {
  const [from, to] = [new Date(order.issued).getTime(), new Date(order.deadline).getTime()];
  const at = order.closed ? new Date(order.closed).getTime() : now.getTime();
  if (to <= from) return 100;
  return Math.max(0, Math.round(((at - from) / (to - from)) * 100));
}

export const isOpen = (order: Pick<OrderRow, "state">) => order.state === "issued" || order.state === "answered";

/** Colour and shape of how urgent it is. */
export function urgency(order: Pick<OrderRow, "state" | "issued" | "deadline" | "closed">, now: Date): { key: "done" | "fresh" | "half" | "late80" | "late"; look: Look } {
  if (!isOpen(order)) return { key: "done", look: { tone: "grey", shape: "check" } };
  const percent = elapsed(order, now);
  if (percent >= 100) return { key: "late", look: { tone: "red", shape: "octagon" } };
  if (percent >= 80) return { key: "late80", look: { tone: "orange", shape: "triangle" } };
  if (percent >= 50) return { key: "half", look: { tone: "amber", shape: "half" } };
  return { key: "fresh", look: { tone: "green", shape: "dot" } };
}

export const orderLooks: Record<OrderRow["state"], Look> = {
  issued: { tone: "red", shape: "dot" },
  answered: { tone: "amber", shape: "half" },
  closed: { tone: "green", shape: "check" },
  cancelled: { tone: "grey", shape: "dash" },
};

export const actionLooks: Record<string, Look> = {
  issued: { tone: "blue", shape: "dot" },
  reminded: { tone: "amber", shape: "triangle" },
  escalated: { tone: "orange", shape: "triangle" },
  answered: { tone: "blue", shape: "half" },
  "retest-failed": { tone: "red", shape: "cross" },
  "retest-passed": { tone: "green", shape: "check" },
  assigned: { tone: "grey", shape: "ring" },
  extended: { tone: "amber", shape: "ring" },
  cancelled: { tone: "grey", shape: "dash" },
};

export type Figure = "issued" | "closed" | "closed_in_time" | "open" | "overdue" | "retests_failed" | "escalated";

/** Bars of the chart, in the order they are shown. */
export const figures: readonly { name: Figure; tone: string }[] = [
  { name: "issued", tone: "blue" },
  { name: "closed", tone: "green" },
  { name: "closed_in_time", tone: "green" },
  { name: "open", tone: "amber" },
  { name: "overdue", tone: "red" },
  { name: "retests_failed", tone: "orange" },
  { name: "escalated", tone: "orange" },
];

/** Share closed in time, in percent of those closed; null where none was. */
export function inTime(statistics: Pick<OrderStatistics, "closed" | "closed_in_time">): number | null {
  return statistics.closed ? Math.round((statistics.closed_in_time / statistics.closed) * 100) : null;
}

/** Open ones by the part of their time that is over, for the chart: below 50, 80, 100 %, and late. */
export function byUrgency(orders: readonly OrderRow[], now: Date): Record<"fresh" | "half" | "late80" | "late", number> {
  const counted = { fresh: 0, half: 0, late80: 0, late: 0 };
  for (const order of orders) {
    const { key } = urgency(order, now);
    if (key !== "done") counted[key] += 1;
  }
  return counted;
}

/** The last moment (Beijing) of a day such as 2026-12-01, as the API wants it. */
export const endOfDay = (day: string) => new Date(`${day}T23:59:59+08:00`).toISOString();
