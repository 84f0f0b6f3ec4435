import { describe, expect, it } from "vitest";
import type { ModelKind } from "../../src/api/types";
import { fits, timesText } from "../../src/models/look";

const kind = (windows: number, times: number): ModelKind => ({ kind: "host", name: { zh: "主机", en: "hosts" }, learned: 60, needed: 60, champion: 1, challenger: 0, back: 0, speaks: { windows, times }, trial: null, trial_windows: 1000, drift_windows: 2000, outside: 0, refitted: null, versions: [] });

describe("a model's share", () => {
  it("fits within a factor of two, and is off beyond", () => {
    expect(fits(kind(2000, 1))).toBe(true);
    expect(fits(kind(2000, 2.1))).toBe(false);
    expect(fits(kind(2000, 0.4))).toBe(false);
  });
  it("says nothing before enough windows", () => {
    expect(fits(kind(100, 9))).toBeNull();
    expect(fits({ ...kind(0, 1), speaks: null })).toBeNull();
  });
  it("is told shortly", () => {
    expect([timesText(1.23), timesText(12.6), timesText(0)]).toEqual(["1.2", "13", "0"]);
  });
});
