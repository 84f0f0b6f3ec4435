import { describe, expect, it } from "vitest";
import type { HostRow } from "../../src/api/types";
import { alarming, hostsShown, inOrder, rowsShown, silent, sized } from "../../src/assets/list";

const now = new Date("2026-11-22T08:00:00Z");
const host = (name: string, over: Partial<HostRow> = {}): HostRow => ({
  unit: "320100",
  host: name,
  sensor: "s1",
  first_seen: "2026-11-01T00:00:00Z",
  last_seen: "2026-11-22T07:00:00Z",
  os: "openEuler 22.03",
  kernel: "5.10",
  domestic: "",
  addresses: ["10.0.0.5"],
  kinds: ["os"],
  system: "portal",
  system_name: "门户",
  asset: 1,
  ...over,
});

describe("hosts", () => {
  const rows = [host("a"), host("b", { system: "", system_name: "", asset: null }), host("c", { last_seen: "2026-11-21T19:00:00Z", domestic: "银河麒麟" })];

  it("narrows by what is wrong with them and by text", () => {
    expect((["all", "unregistered", "silent", "domestic"] as const).map((show) => hostsShown(rows, show, "", now).map((row) => row.host))).toEqual([["a", "b", "c"], ["b"], ["c"], ["c"]]);
    expect(hostsShown(rows, "all", "门户", now).map((row) => row.host)).toEqual(["a", "c"]);
    expect(hostsShown(rows, "all", "10.0.0.5", now)).toHaveLength(3);
  });

  it("calls a host silent after twice the time between its tables", () => {
    expect(silent(host("a", { last_seen: "2026-11-21T20:00:00Z" }), now)).toBe(false);
    expect(silent(host("a", { last_seen: "2026-11-21T19:59:59Z" }), now)).toBe(true);
  });
});

describe("tables of a host", () => {
  it("orders kinds as people ask for them, unknown ones last", () => {
    expect(inOrder([{ kind: "time" }, { kind: "zebra" }, { kind: "ports" }, { kind: "packages" }]).map((one) => one.kind)).toEqual(["packages", "ports", "time", "zebra"]);
  });

  it("writes sizes as a person reads them", () => {
    expect([sized("274877906944 bytes QEMU"), sized("AMD")]).toEqual(["256.0 GiB QEMU", "AMD"]);
  });

  it("finds rows with all words", () => {
    const rows = [["openssl", "3.0"], ["bash", "5"]];
    expect(rowsShown(rows, " OpenSSL 3 ")).toEqual([["openssl", "3.0"]]);
    expect(rowsShown(rows, "openssl 5")).toEqual([]);
    expect(rowsShown(rows, "")).toEqual(rows);
  });

  it("marks empty passwords, open ports and certificates that ran out", () => {
    const today = "2026-11-22";
    expect(alarming("credential", "none", today)).toBe(true);
    expect(alarming("credential", "locked", today)).toBe(false);
    expect(alarming("scope", "any", today)).toBe(true);
    expect(alarming("not_after", "2026-11-21T00:00:00Z", today)).toBe(true);
    expect(alarming("not_after", "", today)).toBe(false);
    expect(alarming("name", "any", today)).toBe(false);
  });
});
