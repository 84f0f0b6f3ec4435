import { describe, expect, it } from "vitest";
import type { ExceptionRow } from "../../src/api/types";
import { after, blank, endsSoon, fitting, joined, lacking, localTime, meant, orderOf, phaseLooks, phases, ruleIds } from "../../src/exceptions/list";

const now = new Date("2026-11-22T08:00:00Z");
const whole = { ...blank("320000-local", "zhang", now), title: "巡检", rules: "r1", condition: "a:b", reason: "已核实" };

function row(phase: ExceptionRow["phase"], expires = "2027-01-01T00:00:00Z"): ExceptionRow {
  return { phase, expires } as ExceptionRow;
}

describe("times", () => {
  it("reads and writes Beijing time, whatever the machine says", () => {
    expect(localTime(now)).toBe("2026-11-22T16:00");
    expect(meant("2026-11-22T16:00")).toBe("2026-11-22T08:00:00.000Z");
    expect(meant("")).toBe("");
  });
});

describe("form", () => {
  it("says what is lacking, in the order of the form", () => {
    expect(lacking(blank("", "", now), now)).toEqual(["title", "rules", "unit", "condition", "reason"]);
    expect(lacking(whole, now)).toEqual([]);
    expect(lacking({ ...whole, kind: "maintenance", rules: "", condition: "" }, now)).toEqual([]);
  });

  it("keeps the expiry within its bounds", () => {
    expect(lacking({ ...whole, expires: localTime(after(now, 367)) }, now)).toEqual(["expires"]);
    expect(lacking({ ...whole, expires: localTime(after(now, -1)) }, now)).toEqual(["expires"]);
    expect(lacking({ ...whole, kind: "maintenance", expires: localTime(after(now, 32)) }, now)).toEqual(["expires"]);
    expect(lacking({ ...whole, kind: "maintenance", begins: localTime(after(now, 5)), expires: localTime(after(now, 4)) }, now)).toEqual(["expires"]);
  });

  it("becomes the order of the API", () => {
    const order = orderOf({ ...whole, rules: "r1, r2\nr1" }, "abc");
    expect(order.rules).toEqual(["r1", "r2"]);
    expect(order.begins).toBeNull();
    expect(order.expires).toBe("2026-12-22T08:00:00.000Z");
    expect(order.origin).toBe("abc");
    expect(ruleIds(" ")).toEqual([]);
  });

  it("joins the terms that are on, in the order they were offered", () => {
    expect(joined(["a:1", "b:2", "c:3"], new Set(["c:3", "a:1"]))).toBe("a:1 and c:3");
  });
});

describe("list", () => {
  it("filters by phase", () => {
    const rows = phases.map((phase) => row(phase));
    expect(fitting(rows, "")).toHaveLength(phases.length);
    expect(fitting(rows, "open").map((one) => one.phase)).toEqual(["waiting", "active", "scheduled"]);
    expect(fitting(rows, "ended")).toHaveLength(1);
  });

  it("warns a week before the end", () => {
    expect(endsSoon(row("active", "2026-11-25T00:00:00Z"), now)).toBe(true);
    expect(endsSoon(row("active"), now)).toBe(false);
    expect(endsSoon(row("expired", "2026-11-21T00:00:00Z"), now)).toBe(false);
  });

  it("tells no two open phases by colour alone", () => {
    expect(new Set(phases.map((phase) => phaseLooks[phase].shape)).size).toBe(phases.length);
  });
});
