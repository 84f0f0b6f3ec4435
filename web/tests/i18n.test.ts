import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import en from "../src/i18n/en";
import zh from "../src/i18n/zh";
import { named } from "../src/i18n";
import { language } from "../src/preferences";
import { severities, verdictKeys, verdicts } from "../src/tones";

function leaves(tree: object, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix ? `${prefix}.${key}` : key;
    if (typeof value === "string") found.set(path, value);
    else for (const [inner, text] of leaves(value as object, path)) found.set(inner, text);
  }
  return found;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "i18n" ? [] : sources(path);
    return /\.(vue|ts)$/.test(entry.name) ? [readFileSync(path, "utf8")] : [];
  });
}

const chinese = leaves(zh);
const english = leaves(en);
const code = sources(join(import.meta.dirname, "../src"));
const slots = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("texts", () => {
  it("has the same keys in both languages", () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
  });

  it("has no empty text", () => {
    for (const [key, text] of [...chinese, ...english]) expect(text.trim(), key).not.toBe("");
  });

  it("fills the same slots in both languages", () => {
    for (const [key, text] of chinese) expect(slots(english.get(key) ?? ""), key).toEqual(slots(text));
  });

  it("writes English without Chinese, the names of languages apart", () => {
    const names = ["shell.language", "shell.languageTitle"];
    for (const [key, text] of english) if (!names.includes(key)) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/);
  });

  it("has every key that the pages name", () => {
    const called = code.flatMap((text) => [...text.matchAll(/\bt\(\s*["']([\w.-]+)["']/g)].map((match) => match[1] ?? ""));
    expect(called.length).toBeGreaterThan(100);
    for (const key of called) expect(chinese.has(key), key).toBe(true);
  });

  it("keeps no text that nothing names", () => {
    const text = code.join("\n");
    const families = [...text.matchAll(/`([\w.]+)\.\$\{/g)].map((match) => `${match[1]}.`);
    const unused = [...chinese.keys()].filter((key) => {
      if (key.startsWith("words.") || families.some((family) => key.startsWith(family))) return false;
      return !text.includes(`"${key}"`) && !text.includes(`'${key}'`);
    });
    expect(unused).toEqual([]);
  });

  it("writes no Chinese into the pages themselves", () => {
    const data = /符合|不适用|未知/g; // verdicts are values of the API
    for (const text of code) {
      const template = text.slice(text.indexOf("<template>")).replace(data, "");
      if (text.includes("<template>")) expect(template).not.toMatch(/[\u4e00-\u9fff]/);
    }
  });
});

describe("names of values", () => {
  it("covers what the API sends", () => {
    for (const name of severities) expect(chinese.has(`words.severity.${name}`)).toBe(true);
    for (const name of verdicts) expect(chinese.has(`words.verdict.${verdictKeys[name]}`)).toBe(true);
  });

  it("shows an unknown value as it is", () => {
    language.value = "en";
    expect(named("severity", "apocalyptic")).toBe("apocalyptic");
    expect(named("severity", "high")).toBe("High");
  });
});
