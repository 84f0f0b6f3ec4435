/** Times, sizes and digests as a person reads them. All times are Beijing time, whatever the machine says. */
import type { Text } from "./api/types";
import type { Language } from "./preferences";

const zone = "Asia/Shanghai";

const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: zone,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

function split(time: Date): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(time).map((part) => [part.type, part.value]));
}

/** 2026-11-22 09:05:07 in Beijing time; "—" where there is none. */
export function fullTime(time: string | Date | null | undefined): string {
  const date = asDate(time);
  if (!date) return "—";
  const p = split(date);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/** 09:05:07 on the day of `now`, 11-21 09:05 in its year, else 2025-11-21. */
export function shortTime(time: string | Date | null | undefined, now: Date): string {
  const full = fullTime(time);
  if (full === "—") return full;
  const today = fullTime(now);
  if (full.slice(0, 10) === today.slice(0, 10)) return full.slice(11);
  if (full.slice(0, 4) === today.slice(0, 4)) return full.slice(5, 16);
  return full.slice(0, 10);
}

/** "3 分钟前" / "3 min ago"; future times read "3 分钟后" / "in 3 min". */
export function relativeTime(time: string | Date | null | undefined, now: Date, language: Language): string {
  const date = asDate(time);
  if (!date) return "—";
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000);
  const past = Math.abs(seconds);
  // The page's clock ticks slower than news arrives: what just came must not look like the future.
  if (seconds > -5 && seconds <= 60) return language === "zh" ? "刚刚" : "just now";
  const words = new Intl.RelativeTimeFormat(language === "zh" ? "zh-CN" : "en", { numeric: "always", style: "short" });
  if (past < 60) return words.format(seconds, "second");
  if (past < 3_600) return words.format(Math.trunc(seconds / 60), "minute");
  if (past < 86_400) return words.format(Math.trunc(seconds / 3_600), "hour");
  return words.format(Math.trunc(seconds / 86_400), "day");
}

/** The month of `now` in Beijing, as 2026-11. */
export function monthOf(now: Date): string {
  return fullTime(now).slice(0, 7);
}

/** 12,345. */
export function count(value: number): string {
  return new Intl.NumberFormat("en-US").format(value);
}

/** 5.7 MiB. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}

/** The first and last digits of a digest; short ones stay whole. */
export function digest(value: string): string {
  return value.length > 20 ? `${value.slice(0, 10)}…${value.slice(-6)}` : value;
}

/** A field's value on one line: lists by comma, objects as JSON. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** The sentence in the reader's language, the other one where theirs is empty. */
export function say(text: Text | undefined, language: Language): string {
  if (!text) return "";
  return language === "zh" ? text.zh || text.en : text.en || text.zh;
}

const wide_signs: Readonly<Record<string, string>> = { ",": "，", ";": "；", ":": "：", "!": "！", "?": "？" };

/** A Chinese sentence with Chinese punctuation: rules and programs often carry the narrow signs. */
export function typeset(zh: string): string {
  return zh
    .replace(/(?<=[\u4e00-\u9fff」”）)])\(([^()]*)\)|\(([^()]*[\u4e00-\u9fff][^()]*)\)/g, (_, after?: string, own?: string) => `（${after ?? own}）`)
    .replace(/(?<=[\u4e00-\u9fff」”）])(?:[,;!?]|:(?![\w*"]))|[,;](?=[\u4e00-\u9fff「“（])/g, (sign) => wide_signs[sign] ?? sign)
    .replace(/(?<=[，；：！？]) (?=\S)/g, "");
}

function asDate(time: string | Date | null | undefined): Date | null {
  if (!time) return null;
  const date = typeof time === "string" ? new Date(time) : time;
  return Number.isNaN(date.getTime()) ? null : date;
}
