/** Colour and shape of each value, so that nothing is told by colour alone. */
import type { AlertState, PacketRequestRow, ReportRow, RuleRow, SensorRow, Severity, SourceRow, Verdict } from "./api/types";

export type Tone = "red" | "orange" | "amber" | "blue" | "grey" | "green" | "violet";
export type Shape = "octagon" | "triangle" | "diamond" | "dot" | "ring" | "check" | "half" | "cross" | "dash" | "question";

export interface Look {
  tone: Tone;
  shape: Shape;
}

/** Worst first, as charts and lists show them. */
export const severities: readonly Severity[] = ["critical", "high", "medium", "low", "informational"];

export const verdicts: readonly Verdict[] = ["不符合", "部分符合", "未知", "符合", "不适用"];

/** Names of verdicts in the message files; identifiers stay English. */
export const verdictKeys: Record<Verdict, string> = {
  符合: "compliant",
  部分符合: "partial",
  不符合: "violated",
  不适用: "inapplicable",
  未知: "unknown",
};

export const severityLooks: Record<Severity, Look> = {
  critical: { tone: "red", shape: "octagon" },
  high: { tone: "orange", shape: "triangle" },
  medium: { tone: "amber", shape: "diamond" },
  low: { tone: "blue", shape: "dot" },
  informational: { tone: "grey", shape: "ring" },
};

export const verdictLooks: Record<Verdict, Look> = {
  符合: { tone: "green", shape: "check" },
  部分符合: { tone: "amber", shape: "half" },
  不符合: { tone: "red", shape: "cross" },
  不适用: { tone: "grey", shape: "dash" },
  未知: { tone: "violet", shape: "question" },
};

export const stateLooks: Record<AlertState, Look> = {
  new: { tone: "blue", shape: "dot" },
  acknowledged: { tone: "amber", shape: "half" },
  closed: { tone: "grey", shape: "check" },
};

export const ruleLooks: Record<RuleRow["state"], Look> = {
  enabled: { tone: "green", shape: "check" },
  disabled: { tone: "grey", shape: "dash" },
  waiting: { tone: "amber", shape: "half" },
};

export const sensorLooks: Record<SensorRow["state"], Look> = {
  online: { tone: "green", shape: "check" },
  silent: { tone: "red", shape: "cross" },
  never: { tone: "grey", shape: "ring" },
};

export const standingLooks: Record<SensorRow["standing"], Look> = {
  active: { tone: "green", shape: "check" },
  draining: { tone: "amber", shape: "half" },
  drained: { tone: "blue", shape: "ring" },
  quarantined: { tone: "red", shape: "octagon" },
  revoked: { tone: "grey", shape: "cross" },
  unregistered: { tone: "violet", shape: "question" },
};

/** States of transfers in both directions; one the console does not know is shown as a plain ring. */
const transferLooks: Record<string, Look> = {
  requested: { tone: "blue", shape: "dot" },
  approved: { tone: "amber", shape: "half" },
  sealed: { tone: "amber", shape: "diamond" },
  exported: { tone: "violet", shape: "question" },
  unconfirmed: { tone: "violet", shape: "question" },
  confirmed: { tone: "green", shape: "check" },
  imported: { tone: "green", shape: "check" },
  refused: { tone: "red", shape: "cross" },
  rejected: { tone: "red", shape: "cross" },
  expired: { tone: "grey", shape: "dash" },
};

export const transferLook = (state: string): Look => transferLooks[state] ?? { tone: "grey", shape: "ring" };

/** Labels of data, the least first. */
const labelLooks: Record<string, Look> = {
  一般: { tone: "grey", shape: "ring" },
  重要: { tone: "orange", shape: "triangle" },
  核心: { tone: "red", shape: "octagon" },
};

export const labelLook = (label: string): Look => labelLooks[label] ?? { tone: "grey", shape: "ring" };

export const packetLooks: Record<PacketRequestRow["state"], Look> = {
  wanted: { tone: "grey", shape: "ring" },
  arrived: { tone: "green", shape: "check" },
  empty: { tone: "amber", shape: "dash" },
  failed: { tone: "red", shape: "cross" },
};

export const sourceLooks: Record<SourceRow["state"], Look> = {
  starting: { tone: "grey", shape: "ring" },
  running: { tone: "green", shape: "check" },
  missing: { tone: "amber", shape: "dash" },
  failed: { tone: "red", shape: "cross" },
  stopped: { tone: "grey", shape: "dash" },
  paused: { tone: "amber", shape: "triangle" },
};

export const reportLooks: Record<ReportRow["state"], Look> = {
  draft: { tone: "grey", shape: "ring" },
  prepared: { tone: "blue", shape: "dot" },
  reviewed: { tone: "amber", shape: "half" },
  issued: { tone: "green", shape: "check" },
  superseded: { tone: "grey", shape: "dash" },
};
