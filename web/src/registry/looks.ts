/** Colour and shape of the registry's values. */
import type { GradingPage, ItemRow, ItemStatementRow, SystemRow, TaskRow } from "../api/types";
import type { Look } from "../tones";

export const stageLooks: Record<SystemRow["stage"], Look> = {
  draft: { tone: "grey", shape: "ring" },
  graded: { tone: "blue", shape: "ring" },
  reviewed: { tone: "blue", shape: "half" },
  approved: { tone: "blue", shape: "dot" },
  filed: { tone: "green", shape: "half" },
  building: { tone: "amber", shape: "half" },
  assessed: { tone: "green", shape: "dot" },
  rectifying: { tone: "amber", shape: "diamond" },
  operating: { tone: "green", shape: "check" },
  changing: { tone: "violet", shape: "question" },
  retired: { tone: "grey", shape: "cross" },
};

export const dueLooks: Record<"past" | "soon" | "fine" | "none", Look> = {
  past: { tone: "red", shape: "cross" },
  soon: { tone: "amber", shape: "half" },
  fine: { tone: "green", shape: "check" },
  none: { tone: "grey", shape: "dash" },
};

export const coverLooks: Record<"covered" | "partly" | "not" | "empty", Look> = {
  covered: { tone: "green", shape: "check" },
  partly: { tone: "amber", shape: "half" },
  not: { tone: "red", shape: "cross" },
  empty: { tone: "grey", shape: "dash" },
};

export const taskLooks: Record<TaskRow["state"], Look> = {
  open: { tone: "amber", shape: "half" },
  done: { tone: "green", shape: "check" },
  dismissed: { tone: "grey", shape: "dash" },
};

export const conclusionLooks: Record<GradingPage["score"]["conclusion"], Look> = {
  符合: { tone: "green", shape: "check" },
  基本符合: { tone: "amber", shape: "half" },
  不符合: { tone: "red", shape: "cross" },
  未定: { tone: "violet", shape: "question" },
};

export const riskLooks: Record<Exclude<ItemRow["risk"], "">, Look> = {
  low: { tone: "blue", shape: "dot" },
  medium: { tone: "amber", shape: "diamond" },
  high: { tone: "orange", shape: "triangle" },
  major: { tone: "red", shape: "octagon" },
};

export const statementLooks: Record<ItemStatementRow["state"], Look> = {
  proposed: { tone: "amber", shape: "half" },
  confirmed: { tone: "green", shape: "check" },
  refused: { tone: "red", shape: "cross" },
  withdrawn: { tone: "grey", shape: "dash" },
  replaced: { tone: "grey", shape: "ring" },
};
