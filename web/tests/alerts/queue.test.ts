import { describe, expect, it } from "vitest";
import { emptyQueue, fromPage, merge, moveCursor, replaceRow, withMore } from "../../src/alerts/queue";
import type { AlertGroup, AlertPage } from "../../src/api/types";

function group(id: string, minute: number, over: Partial<AlertGroup> = {}): AlertGroup {
  return {
    id,
    rule: "r",
    detector: "sigma",
    title: { zh: id, en: id },
    severity: "high",
    entity: "host:a",
    unit: "u",
    sensor: "s",
    count: 1,
    first_seen: "2026-11-22T00:00:00Z",
    last_seen: `2026-11-22T01:${String(minute).padStart(2, "0")}:00Z`,
    state: "new",
    owner: "",
    classification: "",
    close_reason: "",
    reason: { zh: "", en: "" },
    attack: [],
    clauses: [],
    revision: 1,
    ...over,
  };
}

const page = (rows: AlertGroup[], next = ""): AlertPage => ({ rows, total: rows.length, revision: 1, next });
const ids = (rows: { id: string }[]) => rows.map((row) => row.id).join("");

describe("merge", () => {
  const shown = fromPage(page([group("c", 3), group("b", 2), group("a", 1)]));

  it("shows the news at once to a reader who is at the top with nothing selected", () => {
    const after = merge(shown, page([group("d", 4), group("c", 3), group("b", 2), group("a", 1)]), true);
    expect(ids(after.rows)).toBe("dcba");
    expect(after.pending).toEqual([]);
  });

  it("moves no row under a reader who is elsewhere, and counts the news", () => {
    const after = merge(shown, page([group("e", 5), group("d", 4), group("c", 3), group("b", 2), group("a", 1)]), false);
    expect(ids(after.rows)).toBe("cba");
    expect(ids(after.pending)).toBe("ed");
    expect(after.total).toBe(5);
  });

  it("changes known rows in their place even where they moved to the top", () => {
    const after = merge(shown, page([group("a", 9, { count: 7, revision: 2 }), group("c", 3), group("b", 2)]), false);
    expect(ids(after.rows)).toBe("cba");
    expect(after.rows[2]?.count).toBe(7);
    expect(after.pending).toEqual([]);
  });

  it("does not step back to an older answer", () => {
    const acted = replaceRow(shown, group("b", 2, { state: "acknowledged", revision: 5 }));
    const after = merge(acted, page([group("c", 3), group("b", 2, { revision: 4 }), group("a", 1)]), false);
    expect(after.rows[1]?.state).toBe("acknowledged");
  });

  it("keeps a row that left the filter until the reader asks", () => {
    const after = merge(shown, page([group("c", 3), group("a", 1)]), false);
    expect(ids(after.rows)).toBe("cba");
  });

  it("does not take groups of later pages for news", () => {
    const partial = fromPage(page([group("c", 3), group("b", 2)], "more"));
    const after = merge(partial, page([group("d", 4), group("c", 3), group("a", 1)], "more"), false);
    expect(ids(after.pending)).toBe("d");
  });

  it("fills an empty queue whoever watches", () => {
    expect(ids(merge(emptyQueue, page([group("a", 1)]), false).rows)).toBe("a");
  });

  it("counts the same news once however often the line speaks", () => {
    const fresh = page([group("d", 4), group("c", 3), group("b", 2), group("a", 1)]);
    expect(merge(merge(shown, fresh, false), fresh, false).pending).toHaveLength(1);
  });
});

describe("pages", () => {
  it("are joined without doubling a group that moved", () => {
    const first = fromPage(page([group("c", 3), group("b", 2)], "next"));
    const both = withMore(first, page([group("b", 2), group("a", 1)]));
    expect(ids(both.rows)).toBe("cba");
    expect(both.next).toBe("");
  });
});

describe("cursor", () => {
  const rows = [{ id: "a" }, { id: "b" }, { id: "c" }];

  it("starts at the first row", () => {
    expect(moveCursor(rows, "", 1)).toBe("a");
    expect(moveCursor([], "", 1)).toBe("");
  });

  it("stays inside the list", () => {
    expect(moveCursor(rows, "c", 1)).toBe("c");
    expect(moveCursor(rows, "a", -1)).toBe("a");
  });

  it("goes by id, so rows inserted above do not shift it", () => {
    expect(moveCursor([{ id: "new" }, ...rows], "b", 1)).toBe("c");
  });
});
