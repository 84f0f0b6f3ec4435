import { expect, it } from "vitest";
import type { DocumentKindRow, DocumentRow } from "../../src/api/types";
import { newestOf } from "../../src/attestations/documents";

const kind = (name: string): DocumentKindRow => ({ kind: name, title: { zh: name, en: name }, columns: [], checks: [] });
const row = (id: number, name: string, time: string): DocumentRow => ({ id, system: "s", kind: name, time, actor: "user:wang", sm3: "", rows: id });

it("shows the newest import of each kind, what was never imported last", () => {
  const found = newestOf([kind("a"), kind("b"), kind("c")], [row(3, "c", "2026-11-03T00:00:00Z"), row(1, "b", "2026-11-01T00:00:00Z"), row(4, "b", "2026-11-04T00:00:00Z")]);
  expect(found.map((one) => [one.kind.kind, one.newest?.id])).toEqual([
    ["b", 4],
    ["c", 3],
    ["a", undefined],
  ]);
});
