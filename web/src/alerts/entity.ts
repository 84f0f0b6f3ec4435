/** "kind:name" of an entity, taken apart. */

export interface Entity {
  kind: string;
  name: string;
}

/** The parts of an entity; the kind is empty where it has none. */
export function entityOf(text: string): Entity {
  const at = text.indexOf(":");
  return at > 0 ? { kind: text.slice(0, at), name: text.slice(at + 1) } : { kind: "", name: text };
}
