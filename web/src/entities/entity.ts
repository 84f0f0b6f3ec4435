/** Hosts, users and addresses: what an event or an alert names, and their pages. */
import type { EventRow } from "../api/types";

export const kinds = ["host", "user", "address"] as const;
export type EntityKind = (typeof kinds)[number];

export interface Entity {
  kind: EntityKind;
  name: string;
}

/** Whom an event is about, each once. */
export function entitiesOf(event: EventRow): Entity[] {
  const text = (name: string) => (typeof event.fields[name] === "string" ? (event.fields[name] as string) : "");
  const named: Entity[] = [
    { kind: "host", name: text("host.name") },
    { kind: "user", name: text("user.name") },
    { kind: "address", name: text("source.ip") },
    { kind: "address", name: text("destination.ip") },
  ];
  return named.filter((one, at) => one.name && named.findIndex((other) => other.kind === one.kind && other.name === one.name) === at);
}

/** The page of what an alert is about ("host:web-01", "source:10.0.0.8", "user:root@web-01"); null where it has none. */
export function entityOf(entity: string): Entity | null {
  const [kind, name] = [entity.slice(0, entity.indexOf(":")), entity.slice(entity.indexOf(":") + 1)];
  if (!name) return null;
  if (kind === "host") return { kind: "host", name };
  if (kind === "source" || kind === "address" || kind === "destination") return { kind: "address", name };
  if (kind === "user") return { kind: "user", name };
  return null;
}
