/** The matrix narrowed to what somebody looks for; pure. */
import type { AttackPage, AttackTechnique } from "../api/types";

export type Only = "every" | "hits" | "gaps";

export function fitting(page: AttackPage, only: Only): AttackPage["tactics"] {
  const wanted = (one: AttackTechnique) => only === "every" || (only === "hits" ? one.hits > 0 : one.enabled === 0);
  return page.tactics.map((tactic) => ({ ...tactic, techniques: tactic.techniques.filter(wanted) })).filter((tactic) => tactic.techniques.length);
}

/** How strongly a cell is coloured by its running detections: 0 none, 3 five or more. */
export function depth(one: AttackTechnique): 0 | 1 | 2 | 3 {
  if (one.enabled === 0) return 0;
  return one.enabled === 1 ? 1 : one.enabled < 5 ? 2 : 3;
}
