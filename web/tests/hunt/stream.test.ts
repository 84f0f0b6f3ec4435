import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../src/api/client";
import type { HuntProgress } from "../../src/api/types";
import { listen, merged } from "../../src/hunt/stream";

const line = (over: Partial<HuntProgress>) => ({ events: null, fields: null, sampled: 0, next: "", matched: 0, ...over }) as HuntProgress;

function answering(pieces: string[], status = 200): void {
  const body = new ReadableStream({
    start(control) {
      for (const piece of pieces) control.enqueue(new TextEncoder().encode(piece));
      control.close();
    },
  });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));
}

describe("an answer in lines", () => {
  afterEach(() => vi.unstubAllGlobals());
  it("is read whole however it is cut", async () => {
    answering(['{"matched":1}\n{"mat', 'ched":2}', "\n"]);
    const seen: number[] = [];
    await listen("hunt/events", (one) => seen.push(one.matched), new AbortController().signal);
    expect(seen).toEqual([1, 2]);
  });
  it("is an error in words where the center says no", async () => {
    answering(['{"code":"hunt-busy","message":{"zh":"忙","en":"busy"}}'], 429);
    const failed = listen("hunt/events", () => {}, new AbortController().signal);
    await expect(failed).rejects.toMatchObject({ status: 429, problem: { code: "hunt-busy" } });
    await expect(failed).rejects.toBeInstanceOf(ApiError);
  });
  it("says that the center cannot be reached where no answer comes", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const failed = listen("hunt/events", () => {}, new AbortController().signal);
    await expect(failed).rejects.toMatchObject({ status: 0, problem: { code: "unreachable" } });
  });
  it("keeps the rows that a line does not repeat", () => {
    const first = merged(null, line({ events: [], fields: [], sampled: 3, next: "x" }));
    expect(merged(first, line({ matched: 9 }))).toMatchObject({ events: [], sampled: 3, next: "x", matched: 9 });
  });
});
