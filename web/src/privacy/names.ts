/** Whether this session sees names or pseudonyms. */
import { get, post, remove } from "../api/client";
import type { NamesState } from "../api/types";

export const namesState = () => get<NamesState>("names");
export const revealNames = (reason: string, minutes: number) => post<NamesState>("names", { reason, minutes });
export const hideNames = async () => (await remove("names")) as NamesState;

/** Minutes a reveal may last. */
export const spans = [5, 10, 20, 30] as const;

/** How long names stay shown: whole minutes, at least one while they are; null where no end is near. */
export function minutesLeft(until: string | null, now: number): number | null {
  if (!until) return null;
  const left = Date.parse(until) - now;
  return left > 0 ? Math.ceil(left / 60_000) : 0;
}
