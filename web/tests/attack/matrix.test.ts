import { describe, expect, it } from "vitest";
import type { AttackPage, AttackTechnique } from "../../src/api/types";
import { depth, fitting } from "../../src/attack/matrix";

const cell = (id: string, enabled: number, hits = 0): AttackTechnique => ({ id, name: { zh: id, en: id }, detections: enabled, enabled, hits, parts: [] });
const page = { days: 30, version: "19", techniques: 3, covered: 2, unnamed: [], tactics: [{ id: "impact", name: { zh: "", en: "" }, techniques: [cell("T1", 0), cell("T2", 1, 4), cell("T3", 9)] }] } as AttackPage;

describe("the matrix", () => {
  it("is narrowed to hits or gaps, empty columns left out", () => {
    const ids = (only: "every" | "hits" | "gaps") => fitting(page, only).flatMap((tactic) => tactic.techniques.map((one) => one.id));
    expect(ids("every")).toEqual(["T1", "T2", "T3"]);
    expect(ids("hits")).toEqual(["T2"]);
    expect(ids("gaps")).toEqual(["T1"]);
    expect(fitting({ ...page, tactics: [{ ...page.tactics[0]!, techniques: [cell("T2", 1)] }] }, "gaps")).toEqual([]);
  });
  it("is deeper the more detections run", () => {
    expect([0, 1, 3, 5].map((n) => depth(cell("T", n)))).toEqual([0, 1, 2, 3]);
  });
});
