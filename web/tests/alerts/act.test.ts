import { describe, expect, it } from "vitest";
import { foreseen, possible } from "../../src/alerts/act";
import { group } from "./group";

describe("what an act will make of a group", () => {
  it("is shown before the center answers", () => {
    const open = group("a", 1);
    expect(foreseen(open, { action: "acknowledge" }, "user:me")).toMatchObject({ state: "acknowledged", owner: "user:me" });
    expect(foreseen(open, { action: "assign", owner: "user:li" }, "user:me").owner).toBe("user:li");
    const closed = foreseen(open, { action: "close", classification: "test", reason: "drill" }, "user:me");
    expect(closed).toMatchObject({ state: "closed", classification: "test", owner: "user:me" });
    expect(foreseen(closed, { action: "reopen" }, "user:me").state).toBe("acknowledged");
    expect(foreseen(open, { action: "merge", into: "a" }, "user:me")).toBe(open);
  });

  it("is nothing where it is not possible", () => {
    const closed = group("a", 1, { state: "closed" });
    expect(possible("close", closed)).toBe(false);
    expect(foreseen(closed, { action: "acknowledge" }, "user:me")).toBe(closed);
    expect(possible("split", closed)).toBe(false);
    expect(possible("note", closed)).toBe(true);
  });
});
