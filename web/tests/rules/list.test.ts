import { describe, expect, it } from "vitest";
import type { RuleRow } from "../../src/api/types";
import { cost, everything, fitting, judgedCount, ordered, percent, sourceText } from "../../src/rules/list";

const row = (id: string, over: Partial<RuleRow> = {}): RuleRow => ({
  id,
  kind: "rule",
  title: { zh: `规则 ${id}`, en: `Rule ${id}` },
  level: "medium",
  status: "stable",
  attack: ["T1059.004"],
  clauses: [],
  logsource: { product: "linux", category: "process_creation", service: "" },
  correlation: "",
  state: "enabled",
  needs: [],
  silent: false,
  last_hit: null,
  hits: 0,
  judged: {},
  precision: null,
  cost_nanoseconds: null,
  cost_events: 0,
  ...over,
});

const rows = [
  row("a", { level: "low", last_hit: "2026-11-20T00:00:00Z", hits: 2, precision: 0.5, cost_nanoseconds: 900 }),
  row("b", { level: "critical", kind: "correlation", correlation: "event_count", state: "disabled", last_hit: "2026-09-01T00:00:00Z" }),
  row("c", { title: { zh: "清除日志", en: "Log cleared" }, attack: ["T1070"], state: "waiting", cost_nanoseconds: 4_200 }),
];
const ids = (those: RuleRow[]) => those.map((one) => one.id).join("");
const shown = (part: Partial<typeof everything>) => ids(fitting(rows, { ...everything, ...part }));

describe("the list of rules", () => {
  it("is narrowed by kind, level, state and hits", () => {
    expect(shown({})).toBe("abc");
    expect(shown({ kind: "correlation" })).toBe("b");
    expect(shown({ level: "medium" })).toBe("c");
    expect(shown({ state: "waiting" })).toBe("c");
    expect(shown({ hit: "recent" })).toBe("a");
    expect(shown({ hit: "never" })).toBe("c");
  });

  it("is searched by words in either language, technique and source", () => {
    expect(shown({ text: "清除" })).toBe("c");
    expect(shown({ text: "  LOG t1070 " })).toBe("c");
    expect(shown({ text: "process_creation" })).toBe("abc");
    expect(shown({ text: "event_count" })).toBe("b");
    expect(shown({ text: "cleared nothing" })).toBe("");
  });

  it("is ordered, what is not known last", () => {
    expect(ids(ordered(rows, "level"))).toBe("bca");
    expect(ids(ordered(rows, "last"))).toBe("abc");
    expect(ids(ordered(rows, "hits"))).toBe("abc");
    expect(ids(ordered(rows, "precision"))).toBe("abc");
    expect(ids(ordered(rows, "cost"))).toBe("cab");
    expect(ids(ordered(rows, "title"))).toBe("cab");
  });
});

describe("numbers", () => {
  it("are written as people read them", () => {
    expect([0, 812.4, 4_200, 1_300_000].map(cost)).toEqual(["0 ns", "812 ns", "4.2 µs", "1.3 ms"]);
    expect([0, 0.001, 0.5, 2 / 3, 0.999, 1].map(percent)).toEqual(["0%", "<1%", "50%", "67%", ">99%", "100%"]);
    expect(sourceText({ product: "windows", category: "", service: "security" })).toBe("windows / security");
    expect(judgedCount(row("d", { judged: { true_positive: 2, test: 1 } }))).toBe(3);
  });
});
