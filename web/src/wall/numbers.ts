/** What the wall display makes of its numbers. */
import type { Severity, WallPage } from "../api/types";
import { severities, type Tone } from "../tones";

export type Colour = WallPage["colour"];
type Layer = WallPage["layers"][number];
type Tile = WallPage["tiles"][number];

export const refresh_ms_default = 5_000;
const refresh_ms_min = 20;
const refresh_ms_max = 60_000;

export const layers = ["physical", "network", "platform", "data", "application", "management"] as const;

/** How often the numbers are fetched: `?refresh=SECONDS`, within bounds. */
export function refreshOf(asked: unknown): number {
  const ms = typeof asked === "string" ? Number(asked) * 1000 : Number.NaN;
  return Number.isFinite(ms) && ms > 0 ? Math.min(refresh_ms_max, Math.max(refresh_ms_min, ms)) : refresh_ms_default;
}

/** The share of a layer's applicable checks that comply; null where none was looked at. */
export function complied(layer: Layer): number | null {
  const all = layer.compliant + layer.partial + layer.violated + layer.unknown;
  return all ? layer.compliant / all : null;
}

/** All six layers in the order of the radar, those without checks as null. */
export function shares(rows: readonly Layer[]): (number | null)[] {
  return layers.map((name) => {
    const row = rows.find((one) => one.layer === name);
    return row ? complied(row) : null;
  });
}

/** How many there are of all severities. */
export function total(open: Readonly<Partial<Record<Severity, number>>>): number {
  return severities.reduce((sum, name) => sum + (open[name] ?? 0), 0);
}

/** Rows and columns that the tiles need. */
export function extent(tiles: readonly Tile[]): { columns: number; rows: number } {
  return {
    columns: Math.max(0, ...tiles.map((tile) => (tile.column ?? -1) + 1)),
    rows: Math.max(0, ...tiles.map((tile) => (tile.row ?? -1) + 1)),
  };
}

/** The part of a list that is shown at turn `at`, `size` at a time, around and around. */
export function turned<T>(rows: readonly T[], size: number, at: number): T[] {
  if (rows.length <= size) return [...rows];
  const pages = Math.ceil(rows.length / size);
  const first = (at % pages) * size;
  return rows.slice(first, first + size);
}

/** Whole days since a deadline, at least 0. */
export function daysLate(deadline: string, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(deadline)) / 86_400_000));
}

/** A share on one line: 0.5 as 50%; nothing known is a dash. */
export function shareText(part: number, of: number): string {
  return of ? `${Math.floor((part / of) * 100)}%` : "—";
}

export const colourTones: Record<Colour, Tone> = { red: "red", orange: "orange", yellow: "amber", blue: "blue", none: "green" };
