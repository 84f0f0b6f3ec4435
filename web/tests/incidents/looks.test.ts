import { describe, expect, it } from "vitest";
import type { IncidentRules } from "../../src/api/types";
import { clockLook, elapsed, leastGrade, left, moment, pressing, type Clock } from "../../src/incidents/looks";

const clock = (change: Partial<Clock>): Clock => ({
  id: "first",
  to: { zh: "网信", en: "body" },
  started: "2026-11-22T08:00:00Z",
  due: "2026-11-22T12:00:00Z",
  done: null,
  overdue: false,
  source: "s",
  confidence: "V2",
  ...change,
});
const at = (time: string) => new Date(`2026-11-22T${time}:00Z`);

describe("a statutory clock", () => {
  it("runs from its start to its end and stops when the report is given", () => {
    expect(elapsed(clock({}), at("10:00"))).toBe(50);
    expect(elapsed(clock({ done: "2026-11-22T09:00:00Z" }), at("20:00"))).toBe(25);
    expect(elapsed(clock({ due: "2026-11-22T08:00:00Z" }), at("10:00"))).toBe(100);
  });

  it("has a colour and a shape of its own at half, at 80 percent, over time and done", () => {
    const shapes = ["08:30", "10:00", "11:30", "12:01"].map((time) => clockLook(clock({}), at(time)).shape);
    expect(shapes).toEqual(["dot", "half", "triangle", "octagon"]);
    expect(clockLook(clock({ done: "2026-11-22T09:00:00Z" }), at("13:00")).tone).toBe("green");
    expect(clockLook(clock({ done: "2026-11-22T13:00:00Z", overdue: true }), at("13:00")).tone).toBe("red");
  });

  it("says how much time is left", () => {
    expect(left("2026-11-22T12:00:00Z", at("10:55"))).toBe("1:05");
    expect(left("2026-11-25T10:55:00Z", at("10:55"))).toBe("3 d");
    expect(left("2026-11-22T12:00:00Z", at("13:00"))).toBe("0:00");
  });

  it("that is owed first is the one to look at", () => {
    const first = clock({ done: "2026-11-22T09:00:00Z" });
    const final = clock({ id: "final", due: "2026-12-22T12:00:00Z" });
    expect(pressing([first, final])?.id).toBe("final");
    expect(pressing([first])?.id).toBe("first");
    expect(pressing([])).toBeUndefined();
  });
});

it("many people make an incident grave", () => {
  const rules = { grades: [{ grade: 1, persons: 100_000_000 }, { grade: 2, persons: 10_000_000 }, { grade: 3, persons: 1_000_000 }, { grade: 4, persons: 0 }] } as unknown as IncidentRules;
  expect(leastGrade(rules, 0)).toBe(4);
  expect(leastGrade(rules, 1_000_000)).toBe(3);
  expect(leastGrade(rules, 200_000_000)).toBe(1);
  expect(leastGrade(undefined, 5)).toBe(4);
});

it("a local time is Beijing's", () => {
  expect(moment("2026-11-22T16:00")).toBe("2026-11-22T16:00:00+08:00");
  expect(moment("")).toBeNull();
});
