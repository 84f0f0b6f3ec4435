import { describe, expect, it } from "vitest";
import type { CheckRow } from "../../src/api/types";
import { isStale, narrowed, tally, total } from "../../src/checks/layers";

function check(id: string, over: Partial<CheckRow>): CheckRow {
  return {
    id,
    layer: "platform",
    title: { zh: "", en: "" },
    severity: "high",
    clauses: [],
    method: "probe",
    verdict: "符合",
    reason: { zh: "", en: "" },
    evaluated: null,
    stale_at: null,
    leaf: null,
    ...over,
  };
}

const checks = [check("PHY-01", { layer: "physical", verdict: "未知" }), check("PLT-01", {}), check("PLT-02", { verdict: "不符合" })];

describe("checklist", () => {
  it("is narrowed by layer and verdict", () => {
    expect(narrowed(checks, "", "").length).toBe(3);
    expect(narrowed(checks, "platform", "不符合").map((row) => row.id)).toEqual(["PLT-02"]);
  });

  it("tallies the worst first and leaves zeros out", () => {
    const summary = { layer: "platform", counts: { 符合: 2, 不符合: 1, 未知: 0 } };
    expect(total(summary)).toBe(3);
    expect(tally(summary).map((part) => part.verdict)).toEqual(["不符合", "符合"]);
  });

  it("knows stale evidence", () => {
    const now = new Date("2026-11-22T00:00:00Z");
    expect(isStale(check("a", { stale_at: "2026-11-21T23:59:59Z" }), now)).toBe(true);
    expect(isStale(check("a", { stale_at: "2026-11-22T00:00:01Z" }), now)).toBe(false);
    expect(isStale(check("a", {}), now)).toBe(false);
  });
});
