/** The units of the sensors as a tree: unit codes may be paths, groups stand below their unit. */
import type { SensorRow, SensorUnit } from "../api/types";
import { named } from "../i18n";

/** One line of the tree, in the order it is shown. */
export interface Branch {
  key: string;
  /** Unit code, "" for all. */
  unit: string;
  /** A group of the unit, or null for the unit with all below it. */
  group: string | null;
  label: string;
  depth: number;
  online: number;
  total: number;
  trouble: boolean;
}

const keyOf = (unit: string, group: string | null) => (group === null ? unit : `${unit}\n${group}`);

/** Whether the sensor stands at this place or below it. */
export function within(row: SensorRow, unit: string, group: string | null): boolean {
  if (group !== null) return row.unit === unit && row.group === group;
  return unit === "" || row.unit === unit || row.unit.startsWith(`${unit}/`);
}

/** Whether somebody should look at it: it speaks no more, though the center listens. */
export function silent(row: SensorRow): boolean {
  return row.standing === "active" && row.state !== "online";
}

/** The lines of the tree; revoked sensors are counted nowhere. */
export function branches(rows: readonly SensorRow[], units: readonly SensorUnit[], all: string): Branch[] {
  const counted = rows.filter((row) => row.standing !== "revoked");
  const names = new Map(units.map((unit) => [unit.code, unit.name]));
  const codes = new Set<string>();
  for (const { unit } of rows) {
    const parts = unit.split("/");
    for (let n = 1; n <= parts.length; n += 1) codes.add(parts.slice(0, n).join("/"));
  }
  const line = (unit: string, group: string | null, label: string, depth: number): Branch => {
    const inside = counted.filter((row) => within(row, unit, group));
    return {
      key: keyOf(unit, group),
      unit,
      group,
      label,
      depth,
      online: inside.filter((row) => row.state === "online").length,
      total: inside.length,
      trouble: inside.some(silent),
    };
  };
  const found: Branch[] = [line("", null, all, 0)];
  // By their parts, so that a unit's own units follow it and not its longer-named neighbour.
  const ordered = [...codes].sort((one, other) => (one.split("/").join("\0") < other.split("/").join("\0") ? -1 : 1));
  for (const unit of ordered) {
    const parts = unit.split("/");
    const named = names.get(unit);
    found.push(line(unit, null, named && named !== unit ? named : (parts[parts.length - 1] ?? unit), parts.length));
    const groups = new Set(rows.filter((row) => row.unit === unit && row.group).map((row) => row.group));
    for (const group of [...groups].sort()) found.push(line(unit, group, group, parts.length + 1));
  }
  return found;
}

export type Show = "used" | "silent" | "gaps" | "expiring" | "draining" | "revoked";

export const shows: readonly Show[] = ["used", "silent", "gaps", "expiring", "draining", "revoked"];

const day_ms = 86_400_000;

/** Days before its end from which a certificate is worth a look; sensors renew theirs long before. */
export const expiring_days = 30;

/** "past", "soon" or "fine"; "none" where there is no certificate. */
export function expiry(ends: string | null, now: Date): "past" | "soon" | "fine" | "none" {
  if (!ends) return "none";
  const left = new Date(ends).getTime() - now.getTime();
  return left <= 0 ? "past" : left < expiring_days * day_ms ? "soon" : "fine";
}

/** The sensors a filter leaves. */
export function shown(rows: readonly SensorRow[], show: Show, text: string, now: Date): SensorRow[] {
  const wanted = text.trim().toLowerCase();
  const tests: Record<Show, (row: SensorRow) => boolean> = {
    used: (row) => row.standing !== "revoked",
    silent,
    gaps: (row) => row.gaps > 0 && row.standing !== "revoked",
    expiring: (row) => row.standing !== "revoked" && ["past", "soon"].includes(expiry(row.certificate_ends, now)),
    draining: (row) => row.standing === "draining" || row.standing === "drained",
    revoked: (row) => row.standing === "revoked",
  };
  return rows.filter((row) => tests[show](row) && (!wanted || `${row.id}\n${row.host}\n${row.unit}\n${row.group}`.toLowerCase().includes(wanted)));
}

/** What a source of a sensor reads, with what it reads it from: "capture:eth0" is "报文采集 eth0". */
export function sourceName(name: string): string {
  const at = name.indexOf(":");
  const kind = at < 0 ? name : name.slice(0, at);
  const whole = named("sensorSource", name);
  if (whole !== name || at < 0) return whole;
  return `${named("sensorSource", kind)} ${name.slice(at + 1)}`;
}
