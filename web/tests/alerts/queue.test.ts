import { describe, expect, it } from "vitest";
import { between, fromPage, merge, missing, moveCursor, page_rows, put, replaceRows, request, rowOf, tell } from "../../src/alerts/queue";
import type { AlertGroup, AlertPage } from "../../src/api/types";
import { group } from "./group";

const page = (rows: AlertGroup[], next = "", total = rows.length): AlertPage => ({ rows, total, revision: 1, next, exact: true });
const ids = (rows: (AlertGroup | undefined)[]) => rows.map((row) => row?.id ?? "-").join("");
const many = (from: number) => Array.from({ length: page_rows }, (_, place) => group(`g${from + place}`, 0));

describe("a list of many pages", () => {
  it("has holes where nothing was fetched yet, and says which pages are missing", () => {
    const queue = fromPage(page(many(0), "c1", 1000));
    expect(queue.rows.length).toBe(1000);
    expect(missing(queue, 0, 30)).toEqual([]);
    expect(missing(queue, 190, 410)).toEqual([1, 2]);
  });

  it("asks behind the nearest cursor it knows", () => {
    const queue = fromPage(page(many(0), "c1", 1000));
    expect(request(queue, 0)).toEqual({ cursor: "", offset: 0 });
    expect(request(queue, 1)).toEqual({ cursor: "c1", offset: 0 });
    expect(request(queue, 4)).toEqual({ cursor: "c1", offset: 3 * page_rows });
    put(queue, 3, page(many(600), "c4", 1000));
    expect(request(queue, 4)).toEqual({ cursor: "c4", offset: 0 });
    expect(rowOf(queue, "g601")?.id).toBe("g601");
  });

  it("is shown before its rows are counted, and grows when they are", () => {
    const queue = fromPage({ ...page(many(0), "c1", 2001), exact: false });
    expect([queue.exact, queue.rows.length]).toEqual([false, 2001]);
    tell(queue, 97_000);
    expect([queue.exact, queue.total, queue.rows.length]).toEqual([true, 97_000, 97_000]);
    put(queue, 1, { ...page(many(200), "c2", 2001), exact: false });
    expect([queue.exact, queue.total]).toEqual([true, 97_000]);
  });

  it("ends where the last page ends", () => {
    const queue = fromPage(page(many(0), "c1", 500));
    put(queue, 1, page(many(200).slice(0, 20), "", 500));
    expect(queue.rows.length).toBe(page_rows + 20);
  });
});

describe("merge", () => {
  const shown = () => fromPage(page([group("c", 3), group("b", 2), group("a", 1)]));

  it("shows the news at once to a reader who is at the top with nothing selected", () => {
    const after = merge(shown(), page([group("d", 4), group("c", 3), group("b", 2), group("a", 1)]), true, "latest");
    expect(ids(after.rows)).toBe("dcba");
    expect(after.pending).toEqual([]);
  });

  it("moves no row under a reader who is elsewhere", () => {
    const after = merge(shown(), page([group("d", 4), group("a", 5, { revision: 2, count: 7 }), group("c", 3)], "", 4), false, "latest");
    expect(ids(after.rows)).toBe("cba");
    expect(after.rows[2]?.count).toBe(7);
    expect(ids(after.pending)).toBe("d");
    expect(after.total).toBe(4);
  });

  it("takes what belongs to a later page for no news", () => {
    const queue = fromPage(page(many(0).map((row, place) => ({ ...row, latest: `2026-11-22T02:00:00.${999 - place}Z` })), "c1", 400));
    const after = merge(queue, page([group("old", 1)], "c1", 400), false, "latest");
    expect(after.pending).toEqual([]);
  });

  it("keeps the newer of two answers", () => {
    const queue = fromPage(page([group("a", 1, { revision: 5, state: "closed" })]));
    replaceRows(queue, [group("a", 1, { revision: 4 })]);
    expect(queue.rows[0]?.state).toBe("closed");
  });
});

describe("the cursor", () => {
  const queue = fromPage(page([group("c", 3), group("b", 2), group("a", 1)], "next", 600));

  it("is a group's id and stops at the ends", () => {
    expect(moveCursor(queue, "", 1)).toBe("c");
    expect(moveCursor(queue, "c", 1)).toBe("b");
    expect(moveCursor(queue, "c", -1)).toBe("c");
    expect(moveCursor(queue, "gone", 1)).toBe("c");
    expect([moveCursor(queue, "", 9), moveCursor(queue, "c", 9), moveCursor(queue, "a", -9), moveCursor(queue, "", -9)]).toEqual(["a", "a", "c", "c"]);
  });

  it("does not step on rows that are not there yet", () => {
    expect(moveCursor(queue, "a", 1)).toBe("a");
  });

  it("chooses from one row to another", () => {
    expect(between(queue, "a", "c")).toEqual(["c", "b", "a"]);
    expect(between(queue, "gone", "c")).toEqual(["c"]);
  });
});
