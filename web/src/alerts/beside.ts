/** What stands beside an alert, as the panels show it. */
import type { RelatedPage } from "../api/types";
import type { Look } from "../tones";

const looks: Record<string, Look> = {
  true_positive: { tone: "red", shape: "octagon" },
  benign_positive: { tone: "blue", shape: "ring" },
  false_positive: { tone: "grey", shape: "cross" },
  test: { tone: "violet", shape: "question" },
};

const order = Object.keys(looks);

/** Colour and shape of a judgement. */
export function verdictOf(classification: string): Look {
  return looks[classification] ?? { tone: "grey", shape: "ring" };
}

/** Judgements with their numbers, the gravest first; those nobody made are left out. */
export function judgedOf(judged: Readonly<Record<string, number>>): { name: string; n: number; look: Look }[] {
  return order.filter((name) => judged[name]).map((name) => ({ name, n: judged[name] ?? 0, look: verdictOf(name) }));
}

type Process = RelatedPage["processes"][number];

/** How deep a process stands below the topmost ancestor that is known. */
export function depths(processes: readonly Process[]): number[] {
  const top = Math.min(0, ...processes.map((one) => one.place));
  return processes.map((one) => one.place - top);
}

/** A number of steps as a share, 0 where there are none. */
export function share(done: number, total: number): number {
  return total ? done / total : 0;
}
