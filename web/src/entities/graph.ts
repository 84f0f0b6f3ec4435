/** Whom an entity was seen with, as a drawing that grows where one clicks; pure. */
import type { EChartsCoreOption } from "echarts/core";
import type { NeighbourRow } from "../api/types";
import type { Entity, EntityKind } from "./entity";

type Color = (name: string) => string;

export const nodes_max = 150;
/** Kinds are told apart by shape as well as by colour. */
const looks: Record<EntityKind, { symbol: string; color: string }> = {
  host: { symbol: "rect", color: "blue" },
  user: { symbol: "circle", color: "green" },
  address: { symbol: "diamond", color: "violet" },
};
const risky = 40;

export interface Node extends Entity {
  risk: number;
}

export interface Edge {
  from: string;
  to: string;
  relation: string;
  events: number;
}

export interface Graph {
  nodes: Map<string, Node>;
  edges: Map<string, Edge>;
}

export const keyOf = (entity: Entity) => `${entity.kind}:${entity.name}`;

/** The entity of a node's key. */
export function entityAt(key: string): Entity {
  const kind = key.slice(0, key.indexOf(":")) as EntityKind;
  return { kind, name: key.slice(kind.length + 1) };
}

/** The graph with an entity's neighbours; the most frequent first, until it is full. */
export function grown(graph: Graph, of: Node, rows: readonly NeighbourRow[]): Graph {
  const nodes = new Map(graph.nodes);
  const edges = new Map(graph.edges);
  const own = keyOf(of);
  if (!nodes.has(own)) nodes.set(own, of);
  for (const row of rows) {
    const key = keyOf(row);
    if (key === own) continue;
    if (!nodes.has(key)) {
      if (nodes.size >= nodes_max) continue;
      nodes.set(key, { kind: row.kind, name: row.name, risk: row.risk });
    }
    const [from, to] = row.relation === "from" ? [key, own] : [own, key];
    const known = edges.get(`${from}>${to}`) ?? edges.get(`${to}>${from}`);
    if (!known) edges.set(`${from}>${to}`, { from, to, relation: row.relation, events: row.events });
  }
  return { nodes, edges };
}

export const empty: Graph = { nodes: new Map(), edges: new Map() };

/** The drawing; the centre is larger, risky ones carry a red ring. */
export function drawn(graph: Graph, centre: string): (color: Color) => EChartsCoreOption {
  const most = Math.max(1, ...[...graph.edges.values()].map((edge) => edge.events));
  return (color) => ({
    tooltip: { renderMode: "richText", backgroundColor: color("surface"), borderColor: color("line"), textStyle: { color: color("text"), fontSize: 12 } },
    series: [
      {
        type: "graph",
        layout: "force",
        roam: true,
        draggable: true,
        force: { repulsion: 160, edgeLength: [50, 120], gravity: 0.12, layoutAnimation: false },
        label: { show: graph.nodes.size <= 60, position: "bottom", color: color("text"), fontSize: 11 },
        edgeSymbol: ["none", "arrow"],
        edgeSymbolSize: 5,
        data: [...graph.nodes].map(([key, node]) => ({
          id: key,
          name: key,
          symbol: looks[node.kind].symbol,
          symbolSize: key === centre ? 26 : 14,
          itemStyle: { color: color(looks[node.kind].color), borderColor: node.risk >= risky ? color("red") : color("surface"), borderWidth: node.risk >= risky ? 3 : 1 },
          label: { formatter: node.name },
          tooltip: { formatter: `${node.name}\n${node.risk}` },
        })),
        links: [...graph.edges.values()].map((edge) => ({
          source: edge.from,
          target: edge.to,
          lineStyle: { color: color("line-strong"), width: 1 + (3 * Math.log1p(edge.events)) / Math.log1p(most), opacity: 0.6 },
          tooltip: { formatter: `${edge.events}` },
        })),
      },
    ],
  });
}

/** Risk as a line and alerts as bars, by day. */
export function riskDrawn(days: readonly { time: string; risk: number; alerts: number }[], words: { risk: string; alerts: string }): (color: Color) => EChartsCoreOption {
  return (color) => {
    const axis = { axisLabel: { color: color("text-2"), fontSize: 11 }, axisLine: { lineStyle: { color: color("line") } }, splitLine: { lineStyle: { color: color("line") } } };
    return {
      tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: color("surface"), borderColor: color("line"), textStyle: { color: color("text"), fontSize: 12 } },
      grid: { left: 30, right: 34, top: 12, bottom: 22 },
      xAxis: { type: "category", data: days.map((day) => day.time.slice(5, 10)), ...axis, splitLine: { show: false } },
      yAxis: [{ type: "value", min: 0, max: 100, ...axis }, { type: "value", min: 0, minInterval: 1, ...axis, splitLine: { show: false } }],
      series: [
        { type: "bar", name: words.alerts, yAxisIndex: 1, data: days.map((day) => day.alerts), itemStyle: { color: color("line-strong") }, barMaxWidth: 14 },
        { type: "line", name: words.risk, data: days.map((day) => day.risk), symbolSize: 5, lineStyle: { color: color("red"), width: 2 }, itemStyle: { color: color("red") } },
      ],
    };
  };
}
