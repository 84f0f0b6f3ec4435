import { describe, expect, it } from "vitest";
import type { NeighbourRow } from "../../src/api/types";
import { entitiesOf, entityOf } from "../../src/entities/entity";
import { drawn, empty, entityAt, grown, keyOf, nodes_max, riskDrawn } from "../../src/entities/graph";

const row = (kind: NeighbourRow["kind"], name: string, relation = "to"): NeighbourRow => ({ kind, name, relation, events: 3, risk: 0 });
const centre = { kind: "host" as const, name: "web-01", risk: 50 };

describe("entities", () => {
  it("are read from what alerts say", () => {
    expect(entityOf("host:web-01")).toEqual({ kind: "host", name: "web-01" });
    expect(entityOf("source:fe80::1")).toEqual({ kind: "address", name: "fe80::1" });
    expect(entityOf("user:root@web-01")).toEqual({ kind: "user", name: "root@web-01" });
    expect([entityOf("unit:x"), entityOf("host:"), entityOf("nothing")]).toEqual([null, null, null]);
  });
  it("are named once by an event", () => {
    const event = { fields: { "host.name": "a", "source.ip": "10.0.0.1", "destination.ip": "10.0.0.1", "user.name": 7 } } as never;
    expect(entitiesOf(event)).toEqual([{ kind: "host", name: "a" }, { kind: "address", name: "10.0.0.1" }]);
  });
});

describe("the graph of neighbours", () => {
  it("grows around an entity, each once, in the direction of the flow", () => {
    const graph = grown(empty, centre, [row("address", "10.0.0.1", "from"), row("address", "10.0.0.1"), row("host", "web-01")]);
    expect([...graph.nodes.keys()]).toEqual(["host:web-01", "address:10.0.0.1"]);
    expect([...graph.edges.keys()]).toEqual(["address:10.0.0.1>host:web-01"]);
    expect(entityAt(keyOf(centre))).toEqual({ kind: "host", name: "web-01" });
  });
  it("stops growing when it is full", () => {
    const many = Array.from({ length: 400 }, (_, at) => row("address", `10.0.${at >> 8}.${at & 255}`));
    const graph = grown(empty, centre, many);
    expect(graph.nodes.size).toBe(nodes_max);
    expect(grown(graph, { kind: "address", name: "10.0.0.0", risk: 0 }, [row("user", "root")]).nodes.size).toBe(nodes_max);
  });
  it("is drawn with shapes and colours of the theme", () => {
    const option = drawn(grown(empty, centre, [row("user", "root")]), "host:web-01")((name) => name) as { series: { data: { symbol: string }[]; links: unknown[] }[] };
    expect(option.series[0]?.data.map((node) => node.symbol)).toEqual(["rect", "circle"]);
    expect(option.series[0]?.links).toHaveLength(1);
    const risk = riskDrawn([{ time: "2026-11-22T00:00:00Z", risk: 5, alerts: 1 }], { risk: "r", alerts: "a" })((name) => name) as { xAxis: { data: string[] } };
    expect(risk.xAxis.data).toEqual(["11-22"]);
  });
});
