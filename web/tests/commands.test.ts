import { describe, expect, it } from "vitest";
import { goSequence, sought } from "../src/commands";

function key(name: string, at: number): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key: name });
  Object.defineProperty(event, "timeStamp", { value: at });
  return event;
}

describe("g and a letter", () => {
  it("lead to a page, soon after each other only", () => {
    const going = goSequence();
    expect(going(key("g", 100))).toBe("");
    expect(going(key("a", 300))).toBe("alerts");
    expect(going(key("a", 400))).toBe("");
    going(key("g", 1_000));
    expect(going(key("a", 9_000))).toBe("");
  });
});

describe("the palette", () => {
  it("finds by any words, the beginning first", () => {
    const all = ["前往：告警", "告警：关闭", "Close alert"].map((name) => ({ name, run: () => {} }));
    expect(sought(all, "告警").map((one) => one.name)).toEqual(["告警：关闭", "前往：告警"]);
    expect(sought(all, "alert close")).toHaveLength(1);
  });
});
