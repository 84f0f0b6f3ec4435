import { beforeEach, describe, expect, it } from "vitest";
import { fold, groupsFor, kept, lateOn, nav } from "../src/navigation";
import { pages } from "../src/router";

describe("the side bar", () => {
  beforeEach(() => (nav.value = { narrow: false, folded: [] }));

  it("shows every page in one group, and no group without pages", () => {
    const all = groupsFor(() => true);
    expect(all.flatMap((group) => group.pages)).toHaveLength(pages.length);
    expect(groupsFor((permission) => permission === "audit.read").map((group) => group.name)).toEqual(["manage"]);
  });

  it("folds and unfolds", () => {
    fold("hunt");
    expect(nav.value.folded).toEqual(["hunt"]);
    fold("hunt");
    expect(nav.value.folded).toEqual([]);
  });

  it("takes up what was kept, and nothing that makes no sense", () => {
    expect(kept('{"narrow":true,"folded":["comply","gone",""]}')).toEqual({ narrow: true, folded: ["comply"] });
    for (const text of [null, "", "[", "7", '{"folded":"x"}']) expect(kept(text)).toEqual({ narrow: false, folded: [] });
  });

  it("counts what is overdue where something can be", () => {
    const late = { incidents: 2, notices: 0, orders: 7 };
    expect([lateOn("incidents", late), lateOn("orders", late), lateOn("alerts", late), lateOn("orders", undefined)]).toEqual([2, 7, 0, 0]);
  });
});
