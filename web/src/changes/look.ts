/** How changes of the configuration are shown, and who may decide about one. */
import type { ConfigurationChange } from "../api/types";
import { named } from "../i18n";
import type { Look } from "../tones";

const chars_max = 120;

export const looks: Record<ConfigurationChange["state"], Look> = {
  waiting: { tone: "orange", shape: "ring" },
  provisional: { tone: "orange", shape: "triangle" },
  confirmed: { tone: "green", shape: "check" },
  refused: { tone: "red", shape: "cross" },
  expired: { tone: "grey", shape: "cross" },
  recorded: { tone: "grey", shape: "dot" },
};

/** A value on one line; a switch by its name, nothing as a dash. */
export function shortly(value: unknown): string {
  if (value === null || value === undefined || value === "") return "—";
  if (value === "enabled" || value === "disabled") return named("rule", value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > chars_max ? `${text.slice(0, chars_max)}…` : text;
}

/** Whether `username`, who is not the author, may confirm or refuse it now. */
export function mayDecide(row: ConfigurationChange, username: string, allowed: boolean): boolean {
  return allowed && (row.state === "waiting" || row.state === "provisional") && row.author !== `user:${username}`;
}
