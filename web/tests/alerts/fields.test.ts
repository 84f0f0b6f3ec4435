import { describe, expect, it } from "vitest";
import { entityOf } from "../../src/alerts/entity";
import { fieldRows, looseMatches } from "../../src/alerts/fields";
import type { EventRow } from "../../src/api/types";

const event: EventRow = {
  id: "e1",
  time: "2026-11-22T00:00:00Z",
  ingested: null,
  unit: "u",
  sensor: "s",
  logsource: {},
  fields: { "user.name": "root", "process.args": ["bash", "-i"] },
  native: { Image: "/bin/bash" },
};

describe("field rows", () => {
  it("put what matched first and name its selections", () => {
    const matches = [
      { event: "e1", field: "user.name", value: "root", selection: "privileged" },
      { event: "e1", field: "user.name", value: "root", selection: "interactive" },
    ];
    expect(fieldRows(event.fields, matches)).toEqual([
      { name: "user.name", text: "root", matched: true, selection: "privileged, interactive" },
      { name: "process.args", text: "bash, -i", matched: false, selection: "" },
    ]);
  });
});

describe("loose matches", () => {
  it("are those whose field no event has", () => {
    const matches = [
      { event: "e1", field: "Image", value: "/bin/bash", selection: "" },
      { event: "e1", field: "distinct_ports", value: 40, selection: "" },
      { event: "gone", field: "Image", value: "/bin/sh", selection: "" },
    ];
    expect(looseMatches([event], matches).map((match) => match.value)).toEqual([40, "/bin/sh"]);
  });
});

describe("entity", () => {
  it("is split at the first colon, IPv6 kept whole", () => {
    expect(entityOf("source:fe80::1")).toEqual({ kind: "source", name: "fe80::1" });
    expect(entityOf("plain")).toEqual({ kind: "", name: "plain" });
  });
});
