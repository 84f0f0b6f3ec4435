import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Router } from "vue-router";
import { again_ms, isMissingPart, recoverFromUpgrade, recovery, type Place } from "../src/upgraded";

const missing = new TypeError("Failed to fetch dynamically imported module: http://center/assets/Rules-old.js");

function place(answers = true) {
  let time = 1_000_000;
  const done: string[] = [];
  const one: Place & { done: string[]; pass: (ms: number) => void } = {
    done,
    pass: (ms) => (time += ms),
    now: () => time,
    answers: () => Promise.resolve(answers),
    go: (address) => done.push(`go ${address}`),
    say: (text) => done.push(`say ${text.slice(0, 5)}`),
    wait: () => Promise.resolve(),
  };
  return one;
}

beforeEach(() => sessionStorage.clear());

describe("a part that is gone", () => {
  it("is told from other errors", () => {
    expect(isMissingPart(missing)).toBe(true);
    expect(isMissingPart(new Error("Unable to preload CSS for /assets/Rules-old.css"))).toBe(true);
    expect(isMissingPart(new Error("t is not a function"))).toBe(false);
    expect(isMissingPart("text")).toBe(false);
  });

  it("loads the address asked for, once in a minute", async () => {
    const first = place();
    await recovery(first)("/rules/abc?q=1");
    expect(first.done).toEqual(["say 系统已升级", "go /rules/abc?q=1"]);
    const second = place(); // the page after the reload
    second.pass(again_ms - 1);
    await recovery(second)("/rules");
    expect(second.done).toEqual(["say 页面的一部"]);
    second.pass(1);
    await recovery(second)("/rules");
    expect(second.done.at(-1)).toBe("go /rules");
  });

  it("loads nothing while the center does not answer", async () => {
    const away = place(false);
    await recovery(away)("/rules");
    expect(away.done).toEqual(["say 无法连接中"]);
    expect(sessionStorage.length).toBe(0);
  });

  it("is heard of from the router first, then from the loader", async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    let heard: ((error: unknown, to: { fullPath: string }) => void) | undefined;
    const router = { onError: (listener: typeof heard) => (heard = listener), resolve: (to: string) => ({ href: `/base${to}` }) };
    recoverFromUpgrade(router as unknown as Router, (address) => Promise.resolve(void asked.push(address)));
    dispatchEvent(new Event("vite:preloadError"));
    heard?.(missing, { fullPath: "/rules" });
    heard?.(new Error("something else"), { fullPath: "/alerts" });
    vi.runAllTimers();
    vi.useRealTimers();
    expect(asked).toEqual(["/base/rules", location.href]);
  });
});
