import { describe, expect, it } from "vitest";
import { addressOf, fromAddress, groupedBy, isNarrowed, plain, toAddress, toOrder, toParameters } from "../../src/alerts/address";

const now = new Date("2026-11-22T08:00:00Z");

describe("the address of the queue", () => {
  it("says nothing of what is as always, and comes back the same", () => {
    expect(toAddress(plain)).toEqual({});
    const filter = { ...plain, state: "new", q: "curl", hours: "24", sort: "risk" as const };
    expect(fromAddress(toAddress(filter))).toEqual(filter);
    expect(isNarrowed(plain)).toBe(false);
    expect(isNarrowed({ ...plain, sort: "risk" })).toBe(false);
    expect(isNarrowed(filter)).toBe(true);
  });

  it("keeps the order of grouping, two fields at most", () => {
    expect(groupedBy({ by: "unit,rule,owner" })).toEqual(["unit", "rule"]);
    expect(groupedBy({ by: "secret" })).toEqual([]);
  });

  it("leaves out what it does not know", () => {
    expect(fromAddress({ state: "gone", sort: "x", hours: "3" })).toEqual(plain);
  });

  it("turns a span into a time", () => {
    expect(toParameters({ ...plain, hours: "24" }, now).since).toBe("2026-11-21T08:00:00.000Z");
    expect(toOrder({ ...plain, hours: "24" }, now)).toEqual({ state: "open", since: "2026-11-21T08:00:00.000Z" });
  });
});

describe("the address of a group", () => {
  it("keeps what the queue is narrowed to", () => {
    expect(addressOf("/alerts", "a-2")).toBe("/alerts/a-2");
    expect(addressOf("/sub/alerts/?state=all&q=x", "a")).toBe("/sub/alerts/a?state=all&q=x");
  });
});
