/** What the explanation of a check comes to: objects worst first, and what a person can do about it. */
import type { CheckExplanation, ObjectReasons, ReasonRow } from "../api/types";
import type { Look } from "../tones";
import { verdicts } from "../tones";

type Standing = CheckExplanation["gates"][number];

/** Objects by how bad their verdict is, then by name. */
export function worstFirst(objects: readonly ObjectReasons[]): ObjectReasons[] {
  return [...objects].sort((one, other) => verdicts.indexOf(one.verdict) - verdicts.indexOf(other.verdict) || one.object.localeCompare(other.object));
}

export const findingLooks: Record<ReasonRow["state"], Look> = {
  satisfied: { tone: "green", shape: "check" },
  partial: { tone: "amber", shape: "half" },
  unsatisfied: { tone: "red", shape: "cross" },
  inapplicable: { tone: "grey", shape: "dash" },
  unknown: { tone: "violet", shape: "question" },
};

/** How a check stands to a gate: the key of its sentence and its look. */
export function standing(one: Standing): { key: "closed" | "strict" | "atOnce" | "grace"; look: Look } {
  if (one.closes) return { key: "closed", look: { tone: "red", shape: "octagon" } };
  if (one.fail_closed) return { key: "strict", look: { tone: "amber", shape: "triangle" } };
  return { key: one.at_once ? "atOnce" : "grace", look: { tone: "grey", shape: "ring" } };
}
