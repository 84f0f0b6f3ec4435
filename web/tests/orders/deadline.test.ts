import { describe, expect, it } from "vitest";
import type { OrderRow } from "../../src/api/types";
import { byUrgency, elapsed, endOfDay, inTime, urgency } from "../../src/orders/deadline";

const span = { issued: "2026-11-01T00:00:00Z", deadline: "2026-11-11T00:00:00Z", closed: null, state: "issued" as const };
const day = (n: number) => new Date(Date.UTC(2026, 10, n));

describe("an order's time", () => {
  it("runs from its issue to its deadline and beyond", () => {
    expect([1, 6, 9, 11, 16].map((n) => elapsed(span, day(n)))).toEqual([0, 50, 80, 100, 150]);
    expect(elapsed(span, new Date("2026-10-01T00:00:00Z"))).toBe(0);
    expect(elapsed({ ...span, deadline: span.issued }, day(2))).toBe(100);
  });

  it("stops when it is closed", () => {
    expect(elapsed({ ...span, closed: "2026-11-03T00:00:00Z" }, day(30))).toBe(20);
  });

  it("is more urgent at 50, 80 and 100 percent", () => {
    expect([5, 6, 9, 11].map((n) => urgency(span, day(n)).key)).toEqual(["fresh", "half", "late80", "late"]);
    expect(urgency({ ...span, state: "closed" }, day(30)).key).toBe("done");
  });

  it("is counted for the chart, what is done left out", () => {
    const rows = [span, { ...span, deadline: "2026-11-07T00:00:00Z" }, { ...span, state: "cancelled" as const }] as OrderRow[];
    expect(byUrgency(rows, day(8))).toEqual({ fresh: 0, half: 1, late80: 0, late: 1 });
  });

  it("ends with the day in Beijing", () => {
    expect(endOfDay("2026-12-01")).toBe("2026-12-01T15:59:59.000Z");
  });
});

it("tells the share closed in time only where something was closed", () => {
  expect(inTime({ closed: 0, closed_in_time: 0 })).toBeNull();
  expect(inTime({ closed: 3, closed_in_time: 2 })).toBe(67);
});
