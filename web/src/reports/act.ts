/** What a person does with a report, and the kit for an inspection. Each raises ApiError where refused. */
import { apiUrl, fetchFile, post, put, type Fetched } from "../api/client";
import type { Draft, InspectionOrder, ReportDetail, ReportOrder, ReportRow, ReportStep } from "../api/types";
import type { Kind } from "./list";

const path = (report: string, part: string) => `reports/${encodeURIComponent(report)}/${part}`;

/** Draft a month's report; a new edition where there is one. */
export function make(order: ReportOrder): Promise<ReportRow> {
  return post<ReportRow>("reports", order);
}

/** Write into chapters of a draft. */
export function write(report: string, texts: Record<string, string>): Promise<ReportDetail> {
  return put<ReportDetail>(path(report, "sections"), { texts });
}

/** The person's own signature over a draft of the step. */
export interface Own {
  statement: string;
  key: string;
  signature: string;
}

/** Take a step over what was read: by this session, or under a key of one's own. */
export function sign(row: ReportRow, step: ReportStep, own: Own | null = null): Promise<ReportDetail> {
  return post<ReportDetail>(path(row.id, step), { content_sm3: row.content_sm3, own });
}

/** The bytes a person signs with a key of their own. */
export function draft(row: ReportRow, step: ReportStep): Promise<Draft> {
  return post<Draft>(path(row.id, "draft"), { step, content_sm3: row.content_sm3 });
}

/** Send back to draft, with the reason. */
export function sendBack(report: string, reason: string): Promise<ReportDetail> {
  return post<ReportDetail>(path(report, "return"), { reason });
}

/** Where one of its files is downloaded. */
export function fileUrl(report: string, kind: Kind): string {
  return apiUrl(path(report, kind));
}

/** Have a kit made; it is made when it is asked for, so this takes a while. */
export function kit(order: InspectionOrder): Promise<Fetched> {
  return fetchFile("inspections", order);
}
