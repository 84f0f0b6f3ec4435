/** Hosts and their tables as the page lists them. */
import type { HostRow } from "../api/types";
import { bytes } from "../format";

/** Kinds of tables in the order a person asks for them; one the console does not know comes last. */
export const kinds = ["packages", "accounts", "ports", "certificates", "services", "interfaces", "os", "hardware", "sshd", "sudoers", "authorized_keys", "groups", "lastlog", "pam", "cron", "containers", "modules", "mounts", "usb", "sysctl", "time"] as const;

/** The kinds in that order. */
export function inOrder<T extends { kind: string }>(tables: readonly T[]): T[] {
  const place = (kind: string) => {
    const at = (kinds as readonly string[]).indexOf(kind);
    return at < 0 ? kinds.length : at;
  };
  return [...tables].sort((one, other) => place(one.kind) - place(other.kind) || (one.kind < other.kind ? -1 : 1));
}

export type HostShow = "all" | "unregistered" | "silent" | "domestic";

export const hostShows: readonly HostShow[] = ["all", "unregistered", "silent", "domestic"];

/** The text with its number of bytes as a person reads it. */
export function sized(value: string): string {
  return value.replace(/\b(\d{1,15}) bytes\b/, (_, number: string) => bytes(Number(number)));
}

/** A host tells every table again within six hours; after twice that it is silent. */
export const silent_ms = 12 * 3_600_000;

/** Whether nothing was heard of the host for too long. */
export function silent(row: HostRow, now: Date): boolean {
  return now.getTime() - new Date(row.last_seen).getTime() > silent_ms;
}

/** The hosts a filter leaves. */
export function hostsShown(rows: readonly HostRow[], show: HostShow, text: string, now: Date): HostRow[] {
  const wanted = text.trim().toLowerCase();
  const tests: Record<HostShow, (row: HostRow) => boolean> = {
    all: () => true,
    unregistered: (row) => !row.system,
    silent: (row) => silent(row, now),
    domestic: (row) => !!row.domestic,
  };
  return rows.filter((row) => tests[show](row) && (!wanted || [row.host, row.unit, row.os, row.kernel, row.system, row.system_name, ...row.addresses].join("\n").toLowerCase().includes(wanted)));
}

/** Rows of a table with the words in some cell. */
export function rowsShown(rows: readonly string[][], text: string): string[][] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [...rows];
  return rows.filter((row) => {
    const line = row.join("\n").toLowerCase();
    return words.every((word) => line.includes(word));
  });
}

/** Columns a person knows to be worse when they say this: told apart by a mark, not by colour alone. */
export function alarming(column: string, value: string, today: string): boolean {
  if (column === "credential") return value === "none" || value === "weak";
  if (column === "scope") return value === "any";
  if (column === "not_after") return value !== "" && value.slice(0, 10) < today;
  return false;
}
