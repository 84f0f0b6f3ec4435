import { describe, expect, it } from "vitest";
import type { AttestationForm } from "../../src/api/types";
import { faultsOf, reviewable, standingOf, type Stated } from "../../src/attestations/state";

const now = new Date("2026-11-22T08:00:00Z");
const form: AttestationForm = {
  valid_days: 31,
  attachments: 1,
  review: false,
  asks: [
    { name: "entries", title: { zh: "人次", en: "entries" }, kind: "number", required: true, choices: [], within_days: null },
    { name: "day", title: { zh: "日期", en: "day" }, kind: "date", required: false, choices: [], within_days: 365 },
  ],
};
const whole: Stated = { verdict: "符合", reason: "", answers: { entries: "12", day: "2026-11-01" }, files: 1, days: 31 };
const faults = (part: Partial<Stated>) => faultsOf(form, { ...whole, ...part }, now);

describe("a statement", () => {
  it("stands as its state and its expiry say", () => {
    const row = (state: "submitted" | "accepted" | "rejected", expires: string) => standingOf({ state, expires }, now);
    expect(row("submitted", "2026-11-01T00:00:00Z")).toBe("submitted");
    expect(row("accepted", "2027-03-01T00:00:00Z")).toBe("holds");
    expect(row("accepted", "2026-12-01T00:00:00Z")).toBe("ending");
    expect(row("accepted", "2026-11-22T08:00:00Z")).toBe("over");
    expect(row("rejected", "2027-03-01T00:00:00Z")).toBe("rejected");
  });

  it("is reviewed by somebody else, once", () => {
    expect(reviewable({ state: "submitted", author: "user:wang" }, "li")).toBe(true);
    expect(reviewable({ state: "submitted", author: "user:wang" }, "wang")).toBe(false);
    expect(reviewable({ state: "accepted", author: "user:wang" }, "li")).toBe(false);
  });
});

describe("the form of a statement", () => {
  it("takes what is whole", () => {
    expect(faults({})).toEqual({});
    expect(faults({ answers: { entries: "12.5", day: "" } })).toEqual({});
  });

  it("wants a reason for all but compliant", () => {
    expect(faults({ verdict: "" })).toEqual({ verdict: "verdict" });
    expect(faults({ verdict: "不适用", reason: " x" })).toEqual({ reason: "reason" });
    expect(faults({ verdict: "不适用", reason: "没有机房" })).toEqual({});
  });

  it("names each field that is wrong", () => {
    expect(faults({ files: 0, days: 32 })).toEqual({ files: "files", days: "days" });
    expect(faults({ days: 1.5 })).toEqual({ days: "days" });
    expect(faults({ answers: {} })).toEqual({ entries: "answer" });
    expect(faults({ answers: { entries: "twelve", day: "2024-01-01" } })).toEqual({ entries: "number", day: "old" });
  });
});
