/** What a person does with a transfer. Each raises ApiError where the center refuses. */
import { apiUrl, post, upload, withQuery } from "../api/client";
import type { TransferOrder, TransferRow, TransferUpload } from "../api/types";

const path = (row: TransferRow, action: string) => `transfers/${encodeURIComponent(row.id)}/${action}`;

/** Upload the files one by one, then ask for them. */
export async function request(order: Omit<TransferOrder, "files">, files: File[], told: (at: number) => void): Promise<TransferRow> {
  const ids: string[] = [];
  for (const [at, file] of files.entries()) {
    told(at + 1);
    ids.push((await upload<TransferUpload>(withQuery("transfers/files", { name: file.name }), file)).id);
  }
  return post<TransferRow>("transfers", { ...order, files: ids });
}

/** Sign as the approver or the author; the passphrase unlocks the person's own key. */
export function sign(row: TransferRow, as: "approve" | "seal", passphrase: string): Promise<TransferRow> {
  return post<TransferRow>(path(row, as), { passphrase });
}

/** Say no, with the reason. */
export function refuse(row: TransferRow, reason: string): Promise<TransferRow> {
  return post<TransferRow>(path(row, "refuse"), { reason });
}

/** Hand the package over. */
export function exportPackage(row: TransferRow): Promise<TransferRow> {
  return post<TransferRow>(path(row, "export"));
}

/** Import a package or a receipt on a channel. */
export function importPackage(channel: string, file: File): Promise<TransferRow> {
  return upload<TransferRow>(withQuery("transfers/import", { channel }), file);
}

/** Where the newest receipt is downloaded. */
export function receiptUrl(row: TransferRow): string {
  return apiUrl(path(row, "receipt"));
}

/** Where the exported package is downloaded. */
export function packageUrl(row: TransferRow): string {
  return apiUrl(path(row, "package"));
}
