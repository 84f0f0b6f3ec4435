import { describe, expect, it } from "vitest";
import type { ItemRow } from "../../src/api/types";
import { allItems, itemsShown, objectParts, rateText, tallyOf } from "../../src/registry/grading";

const item = (id: string, over: Partial<ItemRow> = {}): ItemRow => ({
  id,
  reference: "8.1.4.1",
  level: 3,
  extension: "general",
  domain: "安全计算环境",
  point: "身份鉴别",
  summary: "鉴别用户",
  dimension: "S",
  unit: "L3-CES1-01",
  layer: "platform",
  high_risk_cases: [],
  major_risk_triggers: [],
  verdict: "符合",
  risk: "",
  objects: 1,
  stale_at: null,
  ...over,
});

describe("items of the self-check", () => {
  const items = [item("a"), item("b", { verdict: "未知", domain: "安全区域边界", layer: "network" }), item("c", { summary: "口令复杂度" })];

  it("narrows by verdict, domain, layer and text", () => {
    expect(itemsShown(items, allItems)).toHaveLength(3);
    expect(itemsShown(items, { ...allItems, verdict: "未知" }).map((one) => one.id)).toEqual(["b"]);
    expect(itemsShown(items, { ...allItems, domain: "安全计算环境" }).map((one) => one.id)).toEqual(["a", "c"]);
    expect(itemsShown(items, { ...allItems, layer: "network" }).map((one) => one.id)).toEqual(["b"]);
    expect(itemsShown(items, { ...allItems, text: "口令" }).map((one) => one.id)).toEqual(["c"]);
  });

  it("counts verdicts worst first and leaves out what there is none of", () => {
    expect(tallyOf({ name: "x", counts: { 符合: 2, 不符合: 1, 未知: 0, 部分符合: 0, 不适用: 0 }, rate: 66.67 })).toEqual([
      { verdict: "不符合", n: 1 },
      { verdict: "符合", n: 2 },
    ]);
  });

  it("writes a rate and parts an object's id", () => {
    expect([rateText(null), rateText(66.666)]).toEqual(["—", "66.7 %"]);
    expect([objectParts("host:web:01"), objectParts("")]).toEqual([["host", "web:01"], ["", ""]]);
  });
});
