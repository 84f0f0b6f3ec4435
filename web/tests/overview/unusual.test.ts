import { describe, expect, it } from "vitest";
import type { ProposalRow, UnusualPage } from "../../src/api/types";
import { beyond, formOf, listPath } from "../../src/overview/unusual";

describe("unusual entities", () => {
  it("are asked for by a part of their name", () => {
    expect(listPath("", 10)).toBe("anomalies?limit=10");
    expect(listPath(" web&1 ", 10)).toBe("anomalies?limit=10&entity=web%261");
  });
  it("beyond the budget are counted", () => {
    expect(beyond({ total: 12, within: 10 } as UnusualPage)).toBe(2);
  });
  it("have proposals that begin a form with an end", () => {
    const row: ProposalRow = { kind: "entity", rule: "r", unit: "u", condition: 'alert.entity:"host:a"', labels: 3, days: 90, why: { zh: "因", en: "why" } };
    const form = formOf(row, "t".repeat(200), "因", new Date("2026-01-01T00:00:00Z"));
    expect(form.title).toHaveLength(120);
    expect(form).toMatchObject({ rules: "r", unit: "u", reason: "因", expires: "2026-04-01T08:00" });
  });
});
