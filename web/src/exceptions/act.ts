/** What a person does with exceptions. Each raises ApiError where the center refuses. */
import { get, post } from "../api/client";
import type { ExceptionDetail, ExceptionDraft, ExceptionOrder, ExceptionPreview, ExceptionRow, ExceptionScope } from "../api/types";

/** A proposal that fits the newest alert of a group. */
export function draft(group: string): Promise<ExceptionDraft> {
  return get<ExceptionDraft>(`alerts/${encodeURIComponent(group)}/exception`);
}

/** What it would have held back in the last days. */
export function preview(scope: ExceptionScope): Promise<ExceptionPreview> {
  return post<ExceptionPreview>("exceptions/preview", scope);
}

/** Ask for it. */
export function ask(order: ExceptionOrder): Promise<ExceptionRow> {
  return post<ExceptionRow>("exceptions", order);
}

/** Agree to what another person asked for, or not. */
export function decide(id: number, approve: boolean, note: string): Promise<ExceptionDetail> {
  return post<ExceptionDetail>(`exceptions/${id}/decide`, { approve, note });
}

/** Let alerts through again. */
export function end(id: number, note: string, bringBack: boolean): Promise<ExceptionDetail> {
  return post<ExceptionDetail>(`exceptions/${id}/end`, { note, bring_back: bringBack });
}
