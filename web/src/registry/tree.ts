/** Units as a tree with their systems, and what a list of systems leaves in view. */
import type { SystemRow, UnitRow } from "../api/types";

/** One line of the tree; the center sends units each after the one above it. */
export interface UnitLine {
  unit: UnitRow;
  depth: number;
  /** Systems of the unit and of those below it. */
  systems: number;
}

/** The unit and all below it. */
export function below(units: readonly UnitRow[], code: string): Set<string> {
  const found = new Set([code]);
  for (const unit of units) if (unit.parent !== null && found.has(unit.parent)) found.add(unit.code);
  return found;
}

/** The lines of the tree; units that are out of use are left out unless a system still stands in them. */
export function unitLines(units: readonly UnitRow[], systems: readonly SystemRow[]): UnitLine[] {
  const depths = new Map<string, number>();
  return units.flatMap((unit) => {
    const depth = unit.parent !== null && depths.has(unit.parent) ? (depths.get(unit.parent) ?? 0) + 1 : 0;
    depths.set(unit.code, depth);
    const inside = below(units, unit.code);
    const count = systems.filter((row) => inside.has(row.unit)).length;
    return unit.retired && !count ? [] : [{ unit, depth, systems: count }];
  });
}

/** The systems of a unit ("" for all) and those below it that bear the text, worst level first. */
export function systemsShown(rows: readonly SystemRow[], units: readonly UnitRow[], unit: string, text: string): SystemRow[] {
  const inside = unit ? below(units, unit) : null;
  const wanted = text.trim().toLowerCase();
  const names = new Map(units.map((one) => [one.code, one.name]));
  return rows
    .filter((row) => (!inside || inside.has(row.unit)) && (!wanted || [row.id, row.name, row.grade, row.owner, row.filing_number, row.unit, names.get(row.unit) ?? ""].join("\n").toLowerCase().includes(wanted)))
    .sort((one, other) => other.level - one.level || (one.id < other.id ? -1 : 1));
}

/** Days before a due day from which it is worth a look. */
export const soon_days = 90;

/** How a due day stands on ``today``, both as 2026-11-22. */
export function dueState(day: string | null, today: string): "past" | "soon" | "fine" | "none" {
  if (!day) return "none";
  const left = (Date.parse(day) - Date.parse(today)) / 86_400_000;
  return left < 0 ? "past" : left <= soon_days ? "soon" : "fine";
}

/** The grade of its parts: G is the higher of S and A. */
export function gradeOf(s: number, a: number): string {
  return `S${s}A${a}G${Math.max(s, a)}`;
}

/** S and A of a grade as S3A2G3; 3 and 3 where it is none. */
export function gradeParts(grade: string): [number, number] {
  const found = /^S([1-4])A([1-4])G[1-4]$/.exec(grade);
  return found ? [Number(found[1]), Number(found[2])] : [3, 3];
}

/** The machine an ``unregistered-asset`` task speaks of. */
export function machineOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

/** The step a person probably wants next: the first that leads on rather than back or out. */
export function likelyStep(steps: readonly string[]): string {
  const onward = ["operate", "rectify", "assess", "build", "file", "approve", "expert-review", "grade"];
  return onward.find((step) => steps.includes(step)) ?? steps[0] ?? "";
}
