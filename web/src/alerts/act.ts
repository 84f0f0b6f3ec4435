/** What a person decides about a group. Each raises ApiError where the center refuses. */
import { post } from "../api/client";
import type { AlertGroup, Classification } from "../api/types";

const path = (group: AlertGroup, action: string) => `alerts/${encodeURIComponent(group.id)}/${action}`;

/** Take the group over. */
export function acknowledgeGroup(group: AlertGroup): Promise<AlertGroup> {
  return post<AlertGroup>(path(group, "acknowledge"));
}

/** Close the open group with a judgement and its reason. */
export function closeGroup(group: AlertGroup, classification: Classification, reason: string): Promise<AlertGroup> {
  return post<AlertGroup>(path(group, "close"), { classification, reason });
}

/** Open a closed group again. */
export function reopenGroup(group: AlertGroup): Promise<AlertGroup> {
  return post<AlertGroup>(path(group, "reopen"));
}
