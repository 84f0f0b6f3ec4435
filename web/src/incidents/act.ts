/** What a person does to an incident. Each raises ApiError where the center refuses. */
import { apiUrl, post, upload, withQuery } from "../api/client";
import type { IncidentDetail } from "../api/types";

export type Step = "accept" | "settle" | "resume" | "close" | "dismiss" | "reopen" | "merge";

const decided: readonly Step[] = ["close", "dismiss", "reopen"];
const path = (number: string, rest: string) => `incidents/${encodeURIComponent(number)}/${rest}`;

/** Whether a step is for those who decide about incidents. */
export const isDecided = (step: Step) => step === "merge" || decided.includes(step);

/** From alert groups, or by hand. */
export const open = (body: Record<string, unknown>) => post<IncidentDetail>("incidents", body);

/** Other values, for a reason. */
export const change = (number: string, values: Record<string, unknown>, note: string) => post<IncidentDetail>(path(number, "change"), { ...values, note });

/** The next state, or into another incident. */
export function take(number: string, step: Step, note: string, into: string): Promise<IncidentDetail> {
  if (step === "merge") return post<IncidentDetail>(path(number, "merge"), { into, note });
  return post<IncidentDetail>(path(number, isDecided(step) ? "decide" : "steps"), { step, note });
}

/** Alert groups join it, from other incidents where they may be moved. */
export const addAlerts = (number: string, groups: string[], move: boolean) => post<IncidentDetail>(path(number, "alerts"), { groups, move });

/** Alert groups leave it. */
export const dropAlerts = (number: string, groups: string[]) => post<IncidentDetail>(path(number, "alerts"), { groups, drop: true });

/** Alert groups become an incident of their own. */
export const split = (number: string, groups: string[], title: string) => post<IncidentDetail>(path(number, "split"), { groups, title });

/** An entry of the timeline. */
export const note = (number: string, text: string, at: string | null) => post<IncidentDetail>(path(number, "notes"), { note: text, at });

/** One more thing to do. */
export const addTask = (number: string, title: string, owner: string, due: string | null) => post<IncidentDetail>(path(number, "tasks"), { title, owner, due });

/** A task ended, or taken up again. */
export const changeTask = (number: string, task: number, state: string, text: string) => post<IncidentDetail>(path(number, `tasks/${task}`), { state, note: text });

/** A report that was given. */
export const file = (number: string, body: Record<string, unknown>) => post<IncidentDetail>(path(number, "filings"), body);

/** A file for the locker. */
export const lock = (number: string, one: File, text: string) => upload<IncidentDetail>(withQuery("incidents/files", { incident: number, name: one.name, note: text }), one);

/** Where a report's form is taken from. */
export const formUrl = (number: string, filing: number, form: "docx" | "pdf") => apiUrl(path(number, `filings/${filing}/${form}`));

/** Where a file of the locker is taken from. */
export const fileUrl = (number: string, digest: string) => apiUrl(path(number, `files/${digest}`));
