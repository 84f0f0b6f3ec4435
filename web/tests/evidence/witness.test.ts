import { describe, expect, it } from "vitest";
import type { WitnessState } from "../../src/api/types";
import { behind, openForks, standing } from "../../src/evidence/witness";

const now = new Date("2026-11-22T08:00:00Z");
const state = (over: Partial<WitnessState> = {}): WitnessState => ({
  key: "k",
  quorum: true,
  size: 5,
  time: "2026-11-22T07:00:00Z",
  unwitnessed_since: null,
  waits_since: null,
  patience_minutes: 60,
  witnesses: [],
  logs: [],
  alarms: [],
  ...over,
});

describe("how far the ledger is cosigned", () => {
  it("is judged by the time the center allows", () => {
    expect(standing(state(), now)).toBe("good");
    expect(standing(state({ waits_since: "2026-11-22T07:00:00Z" }), now)).toBe("waiting");
    expect(standing(state({ waits_since: "2026-11-22T06:59:59Z" }), now)).toBe("late");
    expect(standing(state({ quorum: false, waits_since: "2026-11-22T06:00:00Z" }), now)).toBe("none");
  });

  it("tells a witness that never signed from one that is behind", () => {
    expect([behind(0, 9), behind(4, 9), behind(9, 9), behind(12, 9)]).toEqual([-1, 5, 0, 0]);
  });

  it("counts the forks nobody has closed", () => {
    const alarm = { kind: "fork" as const, group: "g", origin: "o", time: "2026-11-22T07:00:00Z", open: true, reason: { zh: "", en: "" } };
    expect(openForks(state({ alarms: [alarm, { ...alarm, open: false }, { ...alarm, kind: "unwitnessed" }] }))).toBe(1);
  });
});
