/** What a person does to a notice. Each raises ApiError where the center refuses. */
import { apiUrl, post, put } from "../api/client";
import type { NoticeDetail, NoticeDraft } from "../api/types";
import type { Look } from "../tones";

export type PaperStep = "submit" | "withdraw" | "return" | "approve" | "issue" | "revoke";
export type ReceiptStep = "sign" | "handle" | "answer" | "pass" | "fail" | "clear";
export type AnyStep = PaperStep | ReceiptStep;

/** A step to be taken: on the paper, or on the part of one receiver. */
export interface Taking {
  step: AnyStep;
  unit: string;
}

const written: readonly string[] = ["submit", "withdraw"];
const received: readonly string[] = ["sign", "handle", "answer"];
const noted: readonly string[] = ["return", "withdraw", "revoke", "fail", "answer"];

/** Whether a step has to say why, or what was done. */
export const needsNote = (step: AnyStep) => noted.includes(step);

/** Whether a step ends or returns something. */
export const isGrave = (step: AnyStep) => ["return", "withdraw", "revoke", "fail"].includes(step);

/** A new one. */
export const draft = (body: NoticeDraft) => post<NoticeDetail>("notices", body);

/** Another text while it is a draft. */
export const rewrite = (id: number, body: NoticeDraft) => put<NoticeDetail>(`notices/${id}`, body);

/** Take a step. */
export function take(id: number, { step, unit }: Taking, note: string, files: string[]): Promise<NoticeDetail> {
  if (!unit) return post<NoticeDetail>(`notices/${id}/${written.includes(step) ? "steps" : "decide"}`, { step, note });
  const path = `notices/${id}/receivers/${encodeURIComponent(unit)}`;
  return received.includes(step) ? post<NoticeDetail>(`${path}/steps`, { step, note, files }) : post<NoticeDetail>(`${path}/decide`, { step, note });
}

/** Where the paper is taken from. */
export const paperUrl = (id: number, form: "docx" | "pdf") => apiUrl(`notices/${id}/paper/${form}`);

/** Where a receiver's answer sheet is taken from. */
export const sheetUrl = (id: number, unit: string, form: "docx" | "pdf") => apiUrl(`notices/${id}/receivers/${encodeURIComponent(unit)}/paper/${form}`);

export const noticeLooks: Record<string, Look> = {
  draft: { tone: "grey", shape: "ring" },
  review: { tone: "blue", shape: "dot" },
  approved: { tone: "violet", shape: "half" },
  issued: { tone: "amber", shape: "half" },
  closed: { tone: "green", shape: "check" },
  withdrawn: { tone: "grey", shape: "dash" },
  revoked: { tone: "grey", shape: "cross" },
};

export const receiptLooks: Record<string, Look> = {
  issued: { tone: "red", shape: "dot" },
  received: { tone: "blue", shape: "dot" },
  handling: { tone: "amber", shape: "half" },
  answered: { tone: "violet", shape: "half" },
  checked: { tone: "blue", shape: "check" },
  cleared: { tone: "green", shape: "check" },
  void: { tone: "grey", shape: "cross" },
};

/** Where the chain 拟稿 … 销号 stands, for the line of steps above a notice. */
export const chain = ["draft", "review", "approved", "issued", "received", "handling", "answered", "checked", "cleared"] as const;

/** How far along the chain the paper and its receivers are: the least of the receivers once it is out. */
export function reachedOf(state: string, receipts: readonly { state: string }[]): number {
  const paper = chain.indexOf(state as (typeof chain)[number]);
  if (state === "closed") return chain.length - 1;
  if (state !== "issued") return paper;
  const places = receipts.filter((one) => one.state !== "void").map((one) => chain.indexOf(one.state as (typeof chain)[number]));
  return places.length ? Math.min(...places) : paper;
}
