import { describe, expect, it } from "vitest";
import { addressOf, bounds, brushed, fromLocal, huntOf, localTime, quoted, span, withTerm } from "../../src/hunt/query";

describe("the address of a hunt", () => {
  it("comes back as it went", () => {
    for (const hunt of [
      { q: "user.name:root", range: "24h", since: "", until: "" },
      { q: "", range: "15m", since: "", until: "" },
      { q: "a", range: "", since: "2026-11-22T00:00:00.000Z", until: "2026-11-22T01:00:00.000Z" },
    ])
      expect(huntOf(addressOf(hunt))).toEqual(hunt);
  });
  it("falls back where it makes no sense", () => {
    expect(huntOf({ range: "9y", since: "x", until: "y", q: ["a"] })).toEqual({ q: "", range: "24h", since: "", until: "" });
    expect(huntOf({ since: "2026-11-22T02:00:00Z", until: "2026-11-22T01:00:00Z" }).range).toBe("24h");
    expect([span("15m"), span("7d"), span("0h"), span("")]).toEqual([900_000, 604_800_000, 0, 0]);
  });
  it("is bound to a time", () => {
    const now = new Date("2026-11-22T08:00:00Z");
    expect(bounds({ q: "", range: "1h", since: "", until: "" }, now)).toEqual({ since: "2026-11-22T07:00:00.000Z", until: "2026-11-22T08:00:00.000Z" });
  });
  it("reads and writes Beijing time", () => {
    expect(localTime("2026-11-22T16:30:00Z")).toBe("2026-11-23T00:30");
    expect(fromLocal("2026-11-23T00:30")).toBe("2026-11-22T16:30:00.000Z");
    expect(fromLocal("")).toBe("");
  });
});

describe("clicks on values", () => {
  it("quote what a query would read otherwise", () => {
    expect(quoted("web-01")).toBe("web-01");
    expect(quoted("10.0.0.8")).toBe("10.0.0.8");
    expect(quoted("张三")).toBe("张三");
    expect(quoted("a b")).toBe('"a b"');
    expect(quoted('say "hi"\\')).toBe('"say \\"hi\\"\\\\"');
    expect(quoted("*")).toBe('"*"');
    expect(quoted("-x")).toBe('"-x"');
    expect(quoted("or")).toBe('"or"');
    expect(quoted("::1")).toBe('"::1"');
    expect(quoted("")).toBe('""');
  });
  it("join the query as one more condition", () => {
    expect(withTerm("", "user.name", "root", true)).toBe("user.name:root");
    expect(withTerm("*", "user.name", "root", false)).toBe("not user.name:root");
    expect(withTerm("a", "user.name", "root", true)).toBe("a and user.name:root");
    expect(withTerm("a or b", "user.name", "root", true)).toBe("(a or b) and user.name:root");
    expect(withTerm('"a or b"', "n", "1", true)).toBe('"a or b" and n:1');
    expect(withTerm("a and n:1", "n", "1", true)).toBe("a and n:1");
  });
  it("zoom into bars", () => {
    const [since, until] = ["2026-11-22T00:00:00.000Z", "2026-11-22T01:00:00.000Z"];
    expect(brushed(since, until, 600_000, 3, 1)).toEqual({ since: "2026-11-22T00:10:00.000Z", until: "2026-11-22T00:40:00.000Z" });
    expect(brushed(since, until, 660_000, 5, 5).until).toBe(until);
  });
});
