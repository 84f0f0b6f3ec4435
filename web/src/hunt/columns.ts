/** The columns of the table of events: chosen by the reader, kept in this browser. */
import type { EventRow } from "../api/types";
import { valueText } from "../format";

const key = "liuhe.hunt.columns";
const columns_max = 12;
export const default_columns: readonly string[] = ["event.dataset", "host.name", "user.name", "summary"];
/** What an event says in one cell, from the most telling field it has. */
const telling = [
  "process.command_line", "message", "dns.question.name", "url.original", "tls.client.server_name", "url.path", "file.path", "packet.summary",
  "gov.probe.id", "process.executable", "process.name", "event.action", "network.transport", "gov.sensor.kind",
] as const;

export function storedColumns(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    if (Array.isArray(found) && found.length && found.every((one) => typeof one === "string")) return found.slice(0, columns_max);
  } catch {
    // Storage may be switched off, or hold what is not ours.
  }
  return [...default_columns];
}

export function keepColumns(columns: readonly string[]): void {
  try {
    localStorage.setItem(key, JSON.stringify(columns));
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** The columns with one more, or one less. */
export function toggled(columns: readonly string[], name: string): string[] {
  if (columns.includes(name)) return columns.filter((one) => one !== name);
  return [...columns, name].slice(-columns_max);
}

/** A column's text in an event. */
export function cellText(event: EventRow, column: string): string {
  if (column === "summary") return summary(event);
  if (column === "unit" || column === "sensor" || column === "id") return event[column];
  return valueText(event.native[column] ?? event.fields[column]);
}

/** Who, where from, what: the most telling field, and the two ends of a conversation. */
export function summary(event: EventRow): string {
  const value = (name: string) => valueText(event.fields[name] ?? event.native[name]);
  const ends = value("source.ip") && value("destination.ip") ? `${value("source.ip")} → ${value("destination.ip")}${value("destination.port") && `:${value("destination.port")}`}` : value("source.ip");
  const said = telling.map(value).find(Boolean) ?? "";
  return [ends, said].filter(Boolean).join("  ");
}

/** The columns an export has: the table's, with the time first; the summary is not a field. */
export function exported(columns: readonly string[]): string {
  return ["time", ...columns.flatMap((one) => (one === "summary" ? ["source.ip", "destination.ip", "destination.port", "process.command_line", "message"] : [one]))]
    .filter((one, at, all) => all.indexOf(one) === at)
    .join(",");
}
