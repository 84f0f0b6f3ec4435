/** Reports as people look for them: by month and state, what is late, which step is whose. */
import type { ReportDetail, ReportRow, ReportStep, SystemRow, UnitRow } from "../api/types";
import type { Permission } from "../session";

export type State = ReportRow["state"];

/** From the first to the last, as a bar shows them. */
export const states: readonly State[] = ["draft", "prepared", "reviewed", "issued"];
export const steps: readonly ReportStep[] = ["prepare", "review", "approve"];
export const kinds = ["pdf", "docx", "xlsx", "p7s"] as const;
export type Kind = (typeof kinds)[number];

const needed: Record<ReportStep, Permission> = { prepare: "reports.make", review: "reports.review", approve: "reports.approve" };

export interface Wanted {
  month: string;
  state: "" | "open" | State;
}

/** Rows of a month and state; what was superseded shows only where it is asked for. */
export function fitting(rows: readonly ReportRow[], wanted: Wanted): ReportRow[] {
  return rows.filter((row) => {
    if (wanted.month && row.month !== wanted.month) return false;
    if (wanted.state === "open") return open(row);
    return wanted.state ? row.state === wanted.state : row.state !== "superseded";
  });
}

/** Months there are reports of, the newest first. */
export function monthsOf(rows: readonly ReportRow[]): string[] {
  return [...new Set(rows.map((row) => row.month))].sort().reverse();
}

/** Not issued yet, and not replaced by another draft. */
export function open(row: ReportRow): boolean {
  return row.state !== "issued" && row.state !== "superseded";
}

/** Whether a report should have been issued before `today` (YYYY-MM-DD, Beijing). */
export function late(row: ReportRow, today: string): boolean {
  return open(row) && row.due !== "" && row.due < today;
}

/** How many reports of a month stand at each state; what was superseded does not count. */
export function progress(rows: readonly ReportRow[], month: string): Record<string, number> {
  const found: Record<string, number> = Object.fromEntries(states.map((state) => [state, 0]));
  for (const row of rows) if (row.month === month && row.state in found) found[row.state]! += 1;
  return found;
}

/** The digest of one of its files, '' where there is none. */
export function digestOf(row: ReportRow, kind: Kind): string {
  return { pdf: row.pdf_sm3, docx: row.docx_sm3, xlsx: row.xlsx_sm3, p7s: row.p7s_sm3 }[kind];
}

/** A unit's or a system's name, its code where the console does not know it. */
export function nameOf(row: Pick<ReportRow, "scope" | "unit">, units: readonly UnitRow[], systems: readonly SystemRow[]): string {
  const found = row.scope === "system" ? systems.find((one) => one.id === row.unit) : units.find((one) => one.code === row.unit);
  return found?.name || row.unit;
}

/** Whether this person takes the step that is due; "other" where somebody else must, "signed" where they did one. */
export function turn(detail: ReportDetail, username: string, may: (permission: Permission) => boolean): "" | "mine" | "signed" | "other" {
  if (!detail.next) return "";
  if (!may(needed[detail.next])) return "other";
  return detail.signatures.some((one) => one.actor === `user:${username}`) ? "signed" : "mine";
}

/** Whether it may be sent back: somebody has signed and it is not issued. */
export function returnable(row: ReportRow): boolean {
  return row.state === "prepared" || row.state === "reviewed";
}
