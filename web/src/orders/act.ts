/** What a person does to an order. Each raises ApiError where the center refuses. */
import { post } from "../api/client";
import type { OrderDetail } from "../api/types";

const path = (number: string, action: string) => `orders/${number}/${action}`;

/** Say what was done, with files handed in before. */
export const answer = (number: string, note: string, attachments: string[]) => post<OrderDetail>(path(number, "answer"), { note, attachments });

/** Test again as a person. */
export const retest = (number: string, passed: boolean, note: string) => post<OrderDetail>(path(number, "retest"), { passed, note });

/** Another owner, more time, or an end. */
export const change = (number: string, what: { owner: string } | { deadline: string } | { cancel: true }, note: string) => post<OrderDetail>(path(number, "change"), { ...what, note });
