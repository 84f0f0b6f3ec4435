import { describe, expect, it } from "vitest";
import type { RelatedPage } from "../../src/api/types";
import { depths, judgedOf, share, verdictOf } from "../../src/alerts/beside";

describe("judgements", () => {
  it("come with the gravest first, without those nobody made", () => {
    expect(judgedOf({ test: 1, true_positive: 2, false_positive: 0 }).map((one) => [one.name, one.n])).toEqual([
      ["true_positive", 2],
      ["test", 1],
    ]);
    expect(verdictOf("of a newer center")).toEqual({ tone: "grey", shape: "ring" });
  });
});

describe("processes", () => {
  it("stand below their topmost known ancestor", () => {
    const rows = [{ place: -2 }, { place: -1 }, { place: 0 }, { place: 1 }, { place: 1 }] as RelatedPage["processes"];
    expect(depths(rows)).toEqual([0, 1, 2, 3, 3]);
    expect(depths([])).toEqual([]);
  });
});

it("counts steps as a share", () => {
  expect([share(0, 0), share(1, 4)]).toEqual([0, 0.25]);
});
