/** What audit lines are sought by, as it stands in the page's address and in the request. */
import { withQuery } from "../api/client";

export const texts = ["actor", "action", "source", "about", "result"] as const;
export const times = ["since", "until"] as const;
export const names = [...times, ...texts] as const;

export type Name = (typeof names)[number];
export type Filter = Record<Name, string>;

export const none: Filter = { since: "", until: "", actor: "", action: "", source: "", about: "", result: "" };

const minute = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/;

/** The filter in a page's query; what is no text, or no time, is left out. */
export function fromQuery(query: Record<string, unknown>): Filter {
  const found = { ...none };
  for (const name of names) {
    const value = query[name];
    if (typeof value === "string" && value.length <= 512 && (name !== "since" && name !== "until" ? true : minute.test(value))) found[name] = value;
  }
  return found;
}

/** What stands in the page's query. */
export function toQuery(filter: Filter): Record<string, string> {
  return Object.fromEntries(names.filter((name) => filter[name].trim() !== "").map((name) => [name, filter[name].trim()]));
}

/** The request of `path`: times of the page are Beijing time. */
export function request(path: string, filter: Filter, more: Record<string, string> = {}): string {
  const wanted: Record<string, string> = { ...toQuery(filter), ...more };
  for (const name of times) if (wanted[name]) wanted[name] = `${wanted[name]}+08:00`;
  return withQuery(path, wanted);
}
