import { describe, expect, it } from "vitest";
import { quoted, term, terms, withTerm, withoutTerm } from "../../src/alerts/terms";

describe("terms of a query", () => {
  it("are quoted where they must be", () => {
    expect(quoted("host:web-01")).toBe("host:web-01");
    expect(quoted('say "hi"')).toBe('"say \\"hi\\""');
    expect(term("owner", "")).toBe("_missing_:owner");
    expect(term("unit", "320100", true)).toBe("-unit:320100");
  });

  it("are added once, and replace their opposite", () => {
    expect(withTerm("", "unit", "320100")).toBe("unit:320100");
    expect(withTerm("unit:320100", "unit", "320100")).toBe("unit:320100");
    expect(withTerm("unit:320100 curl", "unit", "320100", true)).toBe("curl -unit:320100");
  });

  it("leave alone what is more than terms side by side", () => {
    expect(terms("a or b")).toBeNull();
    expect(terms("severity >= high")).toBeNull();
    expect(withTerm("a or b", "unit", "1")).toBe("(a or b) and unit:1");
  });

  it("are taken out one by one", () => {
    expect(withoutTerm('unit:1 and entity:"a b" curl', 'entity:"a b"')).toBe("unit:1 curl");
  });
});
