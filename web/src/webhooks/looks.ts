/** Colour and shape of what became of a delivery. */
import type { DeliveryRow } from "../api/types";
import type { Look } from "../tones";

export const deliveryLooks: Record<DeliveryRow["state"], Look> = {
  waiting: { tone: "amber", shape: "half" },
  delivered: { tone: "green", shape: "check" },
  "given-up": { tone: "red", shape: "cross" },
};
