import { describe, expect, it } from "vitest";
import type { GroundRow, OverrideRow } from "../../src/api/types";
import { against, decidable, gateLook, overrideState } from "../../src/gates/gate";

const now = new Date("2026-11-22T08:00:00Z");
const ground = (check: string, state: GroundRow["state"]): GroundRow => ({ check, state, verdict: "不符合", reason: { zh: "", en: "" }, leaf: 1, since: null, until: null });
const override: OverrideRow = {
  id: 1,
  gate: "transfer",
  system: "s",
  checks: ["NET-02"],
  reason: "保障",
  state: "asked",
  asked_by: "user:wang",
  asked_role: "shift_lead",
  asked: "2026-11-22T07:00:00Z",
  expires: "2026-11-23T07:00:00Z",
  decided_by: "",
  decided_role: "",
  decided: null,
};

describe("a gate", () => {
  it("looks closed, open, or open by somebody's word", () => {
    expect(gateLook({ allowed: false, ruling: "checks" }).tone).toBe("red");
    expect(gateLook({ allowed: true, ruling: "checks" }).tone).toBe("green");
    for (const ruling of ["grace", "override", "release"] as const) expect(gateLook({ allowed: true, ruling }).tone).toBe("amber");
  });

  it("can be passed only over what stands against it", () => {
    const grounds = [ground("A", "failed"), ground("B", "grace"), ground("C", "unknown"), ground("D", "overridden")];
    expect(against({ grounds }, []).map((one) => one.check)).toEqual(["A", "C"]);
    expect(against({ grounds }, ["C"]).map((one) => one.check)).toEqual(["A"]);
  });
});

describe("an override", () => {
  it("is over when its time is", () => {
    expect(overrideState(override, now)).toBe("asked");
    expect(overrideState({ ...override, state: "approved", expires: "2026-11-22T08:00:00Z" }, now)).toBe("over");
    expect(overrideState({ ...override, state: "refused", expires: "2026-11-01T00:00:00Z" }, now)).toBe("refused");
  });

  it("is decided by another person of another role", () => {
    expect(decidable(override, "li", "security_admin", now)).toBe(true);
    expect(decidable(override, "wang", "security_admin", now)).toBe(false);
    expect(decidable(override, "li", "shift_lead", now)).toBe(false);
    expect(decidable({ ...override, state: "approved" }, "li", "security_admin", now)).toBe(false);
  });
});
