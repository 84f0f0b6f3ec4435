/** How certificates and revocation lists of a channel stand. */
import type { TransferTrust } from "../api/types";
import type { Look } from "../tones";

export type End = TransferTrust["items"][number]["state"];

const order: End[] = ["missing", "ended", "soon", "good"];
const looks: Record<End, Look> = {
  missing: { tone: "red", shape: "question" },
  ended: { tone: "red", shape: "cross" },
  soon: { tone: "amber", shape: "half" },
  good: { tone: "green", shape: "check" },
};

/** The state of what stands worst; good where there is nothing. */
export function worst(trust: TransferTrust): End {
  return order.find((state) => trust.items.some((one) => one.state === state)) ?? "good";
}

export function endLook(state: End): Look {
  return looks[state];
}
