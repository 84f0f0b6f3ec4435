import { describe, expect, it } from "vitest";
import { kept } from "../src/password";

const attempt = { old: "One-time-1", next: "Fair-weather9", confirm: "Fair-weather9", username: "zhoulan", displayName: "周岚" };
const broken = (over: Partial<typeof attempt>) =>
  kept({ ...attempt, ...over })
    .filter((rule) => !rule.met)
    .map((rule) => rule.name);

describe("a new password", () => {
  it("that keeps all rules is accepted", () => {
    expect(broken({})).toEqual([]);
  });

  it("says which rule it breaks", () => {
    expect(broken({ next: "Ab1-ef", confirm: "Ab1-ef" })).toEqual(["length"]);
    expect(broken({ next: "onlysmallletters", confirm: "onlysmallletters" })).toEqual(["kinds"]);
    expect(broken({ next: "My-ZHOULAN-99", confirm: "My-ZHOULAN-99" })).toEqual(["name"]);
    expect(broken({ next: "周岚-Password9", confirm: "周岚-Password9" })).toEqual(["name"]);
    expect(broken({ next: attempt.old, confirm: attempt.old })).toEqual(["different"]);
    expect(broken({ confirm: "Fair-weather8" })).toEqual(["same"]);
  });

  it("that is empty keeps none", () => {
    expect(broken({ next: "", confirm: "" })).toEqual(["length", "kinds", "name", "different", "same"]);
  });
});
