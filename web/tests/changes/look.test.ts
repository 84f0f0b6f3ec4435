import { expect, test } from "vitest";
import type { ConfigurationChange } from "../../src/api/types";
import { mayDecide, shortly } from "../../src/changes/look";

const row = { state: "provisional", author: "user:an" } as ConfigurationChange;

test("another person decides about what is open, nobody about the own", () => {
  expect(mayDecide(row, "bo", true)).toBe(true);
  expect(mayDecide(row, "an", true)).toBe(false);
  expect(mayDecide(row, "bo", false)).toBe(false);
  expect(mayDecide({ ...row, state: "confirmed" }, "bo", true)).toBe(false);
});

test("values fit a line", () => {
  expect(shortly({ open: true })).toBe('{"open":true}');
  expect(shortly("x".repeat(500))).toHaveLength(121);
  expect([null, "disabled"].map(shortly)).toEqual(["—", "停用"]);
});
