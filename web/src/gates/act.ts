/** What a person does with the gates. Each raises ApiError where the center refuses. */
import { post } from "../api/client";
import type { DecisionRow, GateName, OverrideRow, ReleaseRow } from "../api/types";

/** Ask a gate; the answer is recorded either way. */
export const ask = (gate: GateName, system: string, about: string) => post<DecisionRow>(`gates/${gate}/ask`, { system, about });

/** Ask that a gate pass over named checks for some hours. */
export const askOverride = (order: { gate: GateName; system: string; checks: string[]; reason: string; hours: number }) => post<OverrideRow>("gates/overrides", order);

/** The second person's word. */
export const decide = (row: OverrideRow, approve: boolean) => post<OverrideRow>(`gates/overrides/${row.id}/decide`, { approve });

/** End an override before its time. */
export const end = (row: OverrideRow) => post<OverrideRow>(`gates/overrides/${row.id}/end`);

/** Open every gate for some hours, or with 0 close them again. */
export const release = (reason: string, hours: number) => post<ReleaseRow>("gates/release", { reason, hours });
