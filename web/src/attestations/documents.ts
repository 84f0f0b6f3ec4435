/** Kinds of documents with the newest import of each; what was never imported stands last. */
import type { DocumentKindRow, DocumentRow } from "../api/types";

export interface Kept {
  kind: DocumentKindRow;
  newest: DocumentRow | undefined;
}

/** By the time of the newest import, the latest first. */
export function newestOf(kinds: readonly DocumentKindRow[], rows: readonly DocumentRow[]): Kept[] {
  const newest = new Map<string, DocumentRow>();
  for (const row of rows) {
    const known = newest.get(row.kind);
    if (!known || known.id < row.id) newest.set(row.kind, row);
  }
  const kept = kinds.map((kind) => ({ kind, newest: newest.get(kind.kind) }));
  return kept.sort((one, other) => (other.newest?.time ?? "").localeCompare(one.newest?.time ?? "") || one.kind.kind.localeCompare(other.kind.kind));
}
