import { describe, expect, it } from "vitest";
import type { SensorRow } from "../../src/api/types";
import { branches, expiry, shown, within } from "../../src/sensors/tree";

const now = new Date("2026-11-22T08:00:00Z");

const row = (id: string, over: Partial<SensorRow> = {}): SensorRow => ({
  id,
  kind: "host",
  unit: "省",
  group: "",
  host: `${id}.example`,
  version: "0.1.0",
  state: "online",
  standing: "active",
  last_seen: null,
  last_sequence: 0,
  backlog: 0,
  gaps: 0,
  certificate_ends: "2027-11-22T08:00:00Z",
  configuration_version: 0,
  clock_offset_seconds: null,
  ...over,
});

const rows = [
  row("a", { unit: "省/市", group: "网站" }),
  row("b", { unit: "省/市", state: "silent" }),
  row("c", { unit: "省" }),
  row("d", { unit: "省-2", standing: "revoked" }),
];

const lines = branches(rows, [{ code: "省", name: "江苏省" }], "全部");

describe("the tree of units", () => {
  it("shows units below units and groups below both, each with its counts", () => {
    expect(lines.map((line) => [line.label, line.depth, line.online, line.total, line.trouble])).toEqual([
      ["全部", 0, 2, 3, true],
      ["江苏省", 1, 2, 3, true],
      ["市", 2, 1, 2, true],
      ["网站", 3, 1, 1, false],
      ["省-2", 1, 0, 0, false],
    ]);
  });

  it("has a line for a unit that only has units below it", () => {
    expect(branches([row("x", { unit: "甲/乙/丙" })], [], "全部").map((line) => line.unit)).toEqual(["", "甲", "甲/乙", "甲/乙/丙"]);
  });

  it("tells lines apart by unit and group", () => {
    expect(new Set(lines.map((line) => line.key)).size).toBe(lines.length);
  });
});

describe("a place", () => {
  it("holds what stands there and below", () => {
    const names = (unit: string, group: string | null) => rows.filter((one) => within(one, unit, group)).map((one) => one.id);
    expect(names("", null)).toEqual(["a", "b", "c", "d"]);
    expect(names("省", null)).toEqual(["a", "b", "c"]);
    expect(names("省/市", "网站")).toEqual(["a"]);
  });
});

describe("a certificate", () => {
  it("is past, soon to end, fine or missing", () => {
    const ends = ["2026-11-22T08:00:00Z", "2026-12-01T00:00:00Z", "2027-01-22T00:00:00Z", null];
    expect(ends.map((one) => expiry(one, now))).toEqual(["past", "soon", "fine", "none"]);
  });
});

describe("the list", () => {
  const ids = (show: Parameters<typeof shown>[1], text = "") => shown(rows, show, text, now).map((one) => one.id);

  it("leaves out the revoked unless they are asked for", () => {
    expect(ids("used")).toEqual(["a", "b", "c"]);
    expect(ids("revoked")).toEqual(["d"]);
    expect(ids("silent")).toEqual(["b"]);
  });

  it("finds by host, id, unit and group", () => {
    expect(ids("used", " A.EX ")).toEqual(["a"]);
    expect(ids("used", "网站")).toEqual(["a"]);
    expect(ids("used", "nothing")).toEqual([]);
  });

  it("shows gaps, certificates that end and what drains", () => {
    const all = [row("g", { gaps: 1 }), row("e", { certificate_ends: "2026-12-01T00:00:00Z" }), row("r", { standing: "drained" })];
    expect((["gaps", "expiring", "draining"] as const).map((show) => shown(all, show, "", now).map((one) => one.id))).toEqual([["g"], ["e"], ["r"]]);
  });
});
