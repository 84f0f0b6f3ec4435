import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** What Chromium 100 does not know and the build does not translate; domestic browsers lag that far. */
const younger = [
  /:has\(/, // 105
  /@container\b/, // 105
  /\.to(?:Sorted|Reversed|Spliced)\(/, // 110
  /\b(?:color-mix|oklch|light-dark)\(/, // 111, 111, 123
  /\bObject\.groupBy\b|\bMap\.groupBy\b|\bArray\.fromAsync\b/, // 117, 117, 121
  /\bPromise\.withResolvers\b|\bURL\.canParse\b/, // 119, 120
  /\bAbortSignal\.(?:any|timeout)\(/, // 116, 103
  /\bstartViewTransition\b|\bpopovertarget\b/, // 111, 114
  /\.(?:isSubsetOf|isSupersetOf|symmetricDifference)\(/, // 122
];

const source = join(import.meta.dirname, "../src");
const files = readdirSync(source, { recursive: true, encoding: "utf-8" }).filter((name) => /\.(?:vue|ts|css)$/.test(name));

describe("the console's own source", () => {
  it("uses nothing younger than Chromium 100", () => {
    expect(files.length).toBeGreaterThan(100);
    const found = files.flatMap((name) => {
      const text = readFileSync(join(source, name), "utf-8").replace(/^\s*(?:\/\/|\*).*$/gm, "");
      return younger.filter((pattern) => pattern.test(text)).map((pattern) => `${name}: ${pattern.source}`);
    });
    expect(found).toEqual([]);
  });
});
