/** What a person does with statements, files, documents and keys. Each raises ApiError where the center refuses. */
import { apiUrl, post, upload, withQuery } from "../api/client";
import type { AttachmentRow, AttestationRow, Claimed, DocumentRow, Draft, PersonKeyRow } from "../api/types";

/** A statement on its way. */
export interface Order {
  system: string;
  object: string;
  check: string;
  verdict: Claimed;
  reason: string;
  answers: Record<string, string>;
  attachments: string[];
  valid_days: number;
}

/** Hand in files one by one; each lies in the ledger when it answers. */
export async function attach(files: readonly File[]): Promise<string[]> {
  const digests: string[] = [];
  for (const file of files) digests.push((await upload<AttachmentRow>(withQuery("attachments", { name: file.name }), file)).sm3);
  return digests;
}

/** State it within this session: the center signs. */
export const state = (order: Order) => post<AttestationRow>("attestations", order);

/** The bytes the person signs with a key of their own. */
export const draft = (order: Order) => post<Draft>("attestations/draft", order);

/** Hand in a draft with the person's own signature. */
export const stateSigned = (statement: string, key: string, signature: string) => post<AttestationRow>("attestations/signed", { statement, key, signature });

/** Accept or reject another person's statement. */
export const review = (row: AttestationRow, accept: boolean, note: string) => post<AttestationRow>(`attestations/${row.id}/review`, { accept, note });

/** Take a statement back. */
export const withdraw = (row: AttestationRow, note: string) => post<AttestationRow>(`attestations/${row.id}/withdraw`, { note });

/** Import a document, or only read it for trial. */
export const bring = (system: string, kind: string, file: File, trial: boolean) =>
  upload<DocumentRow>(withQuery("documents", { system, kind, name: file.name, trial: trial ? "true" : "" }), file);

/** Register a person's public key. */
export const addKey = (person: string, public_pem: string) => post<PersonKeyRow>("person-keys", { person, public_pem });

/** Revoke a person's key; what it signed stays. */
export const revokeKey = (fingerprint: string) => post(`person-keys/${fingerprint}/revoke`);

/** Where a file handed in is downloaded. */
export const fileUrl = (digest: string) => apiUrl(`attachments/${digest}`);
