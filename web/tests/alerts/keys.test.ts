import { describe, expect, it } from "vitest";
import { queueKey } from "../../src/alerts/keys";

function press(key: string, tag = "div", over: KeyboardEventInit = {}): KeyboardEvent {
  const target = document.createElement(tag);
  document.body.append(target);
  const event = new KeyboardEvent("keydown", { key, bubbles: true, ...over });
  target.dispatchEvent(event);
  return event;
}

describe("keys of the queue", () => {
  it("are j, k, Enter, a and c", () => {
    expect(["j", "k", "Enter", "a", "c", "t"].map((key) => queueKey(press(key)))).toEqual(["down", "up", "open", "acknowledge", "close", "except"]);
  });

  it("go to either end, choose all, show what is new", () => {
    expect(["Home", "End", "X", "."].map((key) => queueKey(press(key)))).toEqual(["first", "last", "all", "fresh"]);
  });

  it("leave typing alone", () => {
    for (const tag of ["input", "textarea", "select"]) expect(queueKey(press("j", tag))).toBeNull();
  });

  it("leave the browser's own keys alone", () => {
    expect(queueKey(press("c", "div", { ctrlKey: true }))).toBeNull();
    expect(queueKey(press("a", "div", { metaKey: true }))).toBeNull();
  });

  it("let Enter press a button", () => {
    expect(queueKey(press("Enter", "button"))).toBeNull();
    expect(queueKey(press("j", "button"))).toBe("down");
  });
});
