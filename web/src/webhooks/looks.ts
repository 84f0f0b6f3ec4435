/** What webhooks may tell of, and how what became of a delivery looks. */
import type { DeliveryRow, WebhookOrder } from "../api/types";
import type { Permission } from "../session";
import type { Look } from "../tones";

export const deliveryLooks: Record<DeliveryRow["state"], Look> = {
  waiting: { tone: "amber", shape: "half" },
  delivered: { tone: "green", shape: "check" },
  "given-up": { tone: "red", shape: "cross" },
};

export const webhookEvents: WebhookOrder["events"] = ["alerts", "incidents", "notices", "orders"];

/** The page that shows what a delivery is about, and its part of the path. */
export const pageOfEvent: Record<string, { name: string; param: string; permission: Permission }> = {
  alerts: { name: "alerts", param: "group", permission: "alerts.read" },
  incidents: { name: "incidents", param: "number", permission: "incidents.read" },
  notices: { name: "notices", param: "notice", permission: "notices.read" },
  orders: { name: "orders", param: "number", permission: "checks.read" },
};
