import { describe, expect, it } from "vitest";
import type { ReportDetail, ReportRow } from "../../src/api/types";
import { digestOf, fitting, late, monthsOf, nameOf, progress, returnable, turn } from "../../src/reports/list";

const row = (id: string, over: Partial<ReportRow> = {}): ReportRow => ({
  id,
  month: "2026-10",
  scope: "unit",
  unit: "320000",
  edition: 1,
  created: "2026-11-01T00:00:00Z",
  actor: "system:jobs",
  state: "draft",
  revision: 0,
  corrects: "",
  due: "2026-11-05",
  pdf_sm3: "p",
  xlsx_sm3: "x",
  docx_sm3: "d",
  p7s_sm3: "",
  content_sm3: "c",
  leaf: 1,
  ...over,
});

const rows = [row("a"), row("b", { state: "issued", unit: "320100" }), row("c", { state: "superseded" }), row("d", { month: "2026-09", state: "prepared" })];
const ids = (those: ReportRow[]) => those.map((one) => one.id).join("");

describe("the list of reports", () => {
  it("is narrowed, and hides what was superseded", () => {
    expect(ids(fitting(rows, { month: "", state: "" }))).toBe("abd");
    expect(ids(fitting(rows, { month: "2026-10", state: "" }))).toBe("ab");
    expect(ids(fitting(rows, { month: "", state: "open" }))).toBe("ad");
    expect(ids(fitting(rows, { month: "", state: "superseded" }))).toBe("c");
    expect(monthsOf(rows)).toEqual(["2026-10", "2026-09"]);
  });

  it("counts how far a month has come", () => {
    expect(progress(rows, "2026-10")).toEqual({ draft: 1, prepared: 0, reviewed: 0, issued: 1 });
  });

  it("tells what is late, and only what can still be", () => {
    expect(late(rows[0]!, "2026-11-05")).toBe(false);
    expect(late(rows[0]!, "2026-11-06")).toBe(true);
    expect(late(rows[1]!, "2026-11-06")).toBe(false);
    expect(late(row("e", { due: "" }), "2026-11-06")).toBe(false);
  });

  it("names units and systems, else their codes", () => {
    const units = [{ code: "320000", name: "江苏省", parent: null, kind: "province" as const, retired: false }];
    expect(nameOf(rows[0]!, units, [])).toBe("江苏省");
    expect(nameOf(row("s", { scope: "system", unit: "320000" }), units, [])).toBe("320000");
    expect(digestOf(rows[0]!, "docx")).toBe("d");
    expect([returnable(rows[0]!), returnable(rows[3]!)]).toEqual([false, true]);
  });
});

describe("the step that is due", () => {
  const detail = (next: ReportDetail["next"], actors: string[] = []): ReportDetail => ({
    report: rows[0]!,
    sections: [],
    signatures: actors.map((actor) => ({ step: "prepare", actor, name: actor, time: "", leaf: 1, key: "" })),
    next,
  });
  const all = () => true;

  it("is a person's who may and has not signed yet", () => {
    expect(turn(detail("review", ["user:a"]), "b", all)).toBe("mine");
    expect(turn(detail("review", ["user:a"]), "a", all)).toBe("signed");
    expect(turn(detail("approve"), "b", (one) => one === "reports.make")).toBe("other");
    expect(turn(detail("prepare"), "b", (one) => one === "reports.make")).toBe("mine");
    expect(turn(detail(""), "b", all)).toBe("");
  });
});
