/** Models of unusual windows: how a version, its share and an act are shown. */
import type { ModelAct, ModelKind, ModelVersion } from "../api/types";
import type { Look } from "../tones";

const [times_min, times_max] = [0.5, 2]; // beyond them "1 in N" is not true

export const roleLooks: Record<ModelVersion["role"], Look> = {
  champion: { tone: "green", shape: "check" },
  challenger: { tone: "orange", shape: "half" },
  before: { tone: "grey", shape: "ring" },
  "": { tone: "grey", shape: "dot" },
};

export const stateLook = (good: boolean): Look => (good ? { tone: "green", shape: "check" } : { tone: "red", shape: "cross" });

export const actLooks: Record<ModelAct["act"], Look> = {
  made: { tone: "grey", shape: "dot" },
  trial: { tone: "orange", shape: "half" },
  promoted: { tone: "green", shape: "check" },
  rejected: { tone: "grey", shape: "cross" },
  "rolled-back": { tone: "orange", shape: "triangle" },
  refused: { tone: "red", shape: "cross" },
};

/** Whether the model still keeps to its share; null before enough windows were counted to say so. */
export function fits(kind: ModelKind): boolean | null {
  const share = kind.speaks;
  if (!share || share.windows < Math.min(kind.drift_windows, enough_windows)) return null;
  return share.times >= times_min && share.times <= times_max;
}

const enough_windows = 500; // 5 of 1 in 100: fewer say nothing

/** 1.234 -> "1.2", 12.3 -> "12". */
export const timesText = (times: number): string => (times >= 10 ? String(Math.round(times)) : (Math.round(times * 10) / 10).toString());
