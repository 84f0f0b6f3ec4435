import { expect, it } from "vitest";
import { chain, isGrave, needsNote, reachedOf } from "../../src/notices/act";

it("a notice stands where the least of its receivers stands", () => {
  expect(chain[reachedOf("review", [])]).toBe("review");
  expect(chain[reachedOf("issued", [{ state: "cleared" }, { state: "issued" }])]).toBe("issued");
  expect(chain[reachedOf("issued", [{ state: "cleared" }, { state: "answered" }, { state: "void" }])]).toBe("answered");
  expect(chain[reachedOf("closed", [{ state: "cleared" }])]).toBe("cleared");
});

it("what ends or returns something says why", () => {
  expect((["return", "withdraw", "revoke", "fail"] as const).every((step) => isGrave(step) && needsNote(step))).toBe(true);
  expect(needsNote("answer")).toBe(true);
  expect(needsNote("sign") || isGrave("sign")).toBe(false);
});
