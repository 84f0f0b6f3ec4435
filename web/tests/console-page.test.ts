import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shown } from "../src/alerts/keys";
import { letters } from "../src/commands";
import { listShown } from "../src/keys";
import { pages } from "../src/router";

const text = readFileSync(join(import.meta.dirname, "../../docs/reference/console.md"), "utf-8");
const rows = text.split("\n").filter((line) => line.startsWith("| "));

describe("the reference of the console", () => {
  it("has a row for each page, with its permission and its letter", () => {
    for (const page of pages) {
      const row = rows.find((line) => line.startsWith(`| ${page.name} `));
      expect(row, page.name).toContain(`\`${page.permission}\``);
      const letter = Object.keys(letters).find((key) => letters[key] === page.name);
      if (letter) expect(row, page.name).toContain(`\`g\` \`${letter}\``);
    }
  });

  it("has every key of the queue and of the lists", () => {
    const keys = rows.join("\n");
    for (const { keys: combination } of [...shown, ...listShown]) for (const key of combination) expect(keys).toContain(`\`${key}\``);
    const everywhere = rows.filter((line) => line.includes("every list"));
    for (const { keys: combination } of listShown) expect(everywhere.some((line) => line.includes(`\`${combination[0]}\``)), combination[0]).toBe(true);
  });
});
