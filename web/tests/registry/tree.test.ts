import { describe, expect, it } from "vitest";
import type { SystemRow, UnitRow } from "../../src/api/types";
import { below, dueState, gradeOf, gradeParts, likelyStep, machineOf, systemsShown, unitLines } from "../../src/registry/tree";

const unit = (code: string, parent: string | null, over: Partial<UnitRow> = {}): UnitRow => ({ code, name: `单位${code}`, parent, kind: "city", retired: false, ...over });
const system = (id: string, at: string, over: Partial<SystemRow> = {}): SystemRow => ({
  id,
  unit: at,
  name: id,
  level: 3,
  grade: "S3A3G3",
  extensions: [],
  stage: "filed",
  owner: "",
  note: "",
  internet: false,
  critical: false,
  launched: null,
  filing_number: "",
  filed: null,
  filing_expires: null,
  assessed: null,
  assessment_due: null,
  crypto_assessed: null,
  crypto_due: null,
  revision: 1,
  ...over,
});

const units = [unit("320000", null), unit("320100", "320000"), unit("320100-a", "320100"), unit("320200", "320000"), unit("320300", "320000", { retired: true })];
const systems = [system("b", "320100-a"), system("a", "320000", { level: 2, grade: "S2A2G2" }), system("c", "320200", { filing_number: "32020099-25001" })];

describe("the tree of units", () => {
  it("indents and counts what stands below", () => {
    const lines = unitLines(units, systems).map((line) => [line.unit.code, line.depth, line.systems]);
    expect(lines).toEqual([["320000", 0, 3], ["320100", 1, 1], ["320100-a", 2, 1], ["320200", 1, 1]]);
  });

  it("begins where the account's part begins", () => {
    expect(unitLines(units.slice(1, 3), systems).map((line) => line.depth)).toEqual([0, 1]);
  });

  it("keeps a unit out of use while a system stands in it", () => {
    expect(unitLines(units, [system("d", "320300")]).map((line) => line.unit.code)).toContain("320300");
  });

  it("knows what is below", () => {
    expect([...below(units, "320100")]).toEqual(["320100", "320100-a"]);
  });
});

describe("systems in view", () => {
  it("puts the worst level first and goes by unit and text", () => {
    expect(systemsShown(systems, units, "", "").map((row) => row.id)).toEqual(["b", "c", "a"]);
    expect(systemsShown(systems, units, "320100", "").map((row) => row.id)).toEqual(["b"]);
    expect(systemsShown(systems, units, "", "25001").map((row) => row.id)).toEqual(["c"]);
    expect(systemsShown(systems, units, "", "单位320100-A").map((row) => row.id)).toEqual(["b"]);
  });
});

describe("days, grades, tasks", () => {
  it("says how a due day stands", () => {
    const today = "2026-11-22";
    expect([null, "2026-11-21", "2026-11-22", "2027-02-20", "2027-02-21"].map((day) => dueState(day, today))).toEqual(["none", "past", "soon", "soon", "fine"]);
  });

  it("takes the higher part as the grade", () => {
    expect(gradeOf(2, 3)).toBe("S2A3G3");
    expect(gradeParts("S2A3G3")).toEqual([2, 3]);
    expect(gradeParts("x")).toEqual([3, 3]);
  });

  it("names the machine of a task, whose unit may be a path", () => {
    expect(machineOf("320100/a/web-01")).toBe("web-01");
  });

  it("offers the step that leads on", () => {
    expect(likelyStep(["grade", "expert-review", "retire"])).toBe("expert-review");
    expect(likelyStep(["retire"])).toBe("retire");
    expect(likelyStep([])).toBe("");
  });
});
