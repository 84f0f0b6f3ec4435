import { describe, expect, it } from "vitest";
import type { ObjectReasons } from "../../src/api/types";
import { standing, worstFirst } from "../../src/checks/explanation";

const one = (object: string, verdict: ObjectReasons["verdict"]): ObjectReasons => ({ object, verdict, reason: { zh: "", en: "" }, stale_at: null, reasons: [] });
const gate = (closes: boolean, fail_closed: boolean, at_once: boolean) => standing({ gate: "transfer", closes, fail_closed, at_once }).key;

describe("the explanation of a check", () => {
  it("puts the worst object first", () => {
    const found = worstFirst([one("a", "符合"), one("c", "不符合"), one("b", "不符合"), one("d", "未知")]);
    expect(found.map((row) => row.object)).toEqual(["b", "c", "d", "a"]);
  });

  it("says how the check stands to a gate", () => {
    expect(gate(true, true, true)).toBe("closed");
    expect(gate(false, true, true)).toBe("strict");
    expect(gate(false, false, true)).toBe("atOnce");
    expect(gate(false, false, false)).toBe("grace");
  });
});
