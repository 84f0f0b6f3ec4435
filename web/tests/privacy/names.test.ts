import { describe, expect, it } from "vitest";
import { minutesLeft } from "../../src/privacy/names";

describe("how long names stay shown", () => {
  const at = Date.parse("2026-11-22T08:00:00Z");

  it("counts whole minutes and ends at none", () => {
    expect(minutesLeft("2026-11-22T08:10:00Z", at)).toBe(10);
    expect(minutesLeft("2026-11-22T08:00:01Z", at)).toBe(1);
    expect(minutesLeft("2026-11-22T07:59:00Z", at)).toBe(0);
    expect(minutesLeft(null, at)).toBeNull();
  });
});
