/** The live line from the center: it says what changed, and the pages fetch again. */
import { ref } from "vue";
import { apiUrl } from "./client";

export type Topic = "alerts" | "checks" | "sensors" | "evidence" | "reports" | "transfers" | "rules" | "orders" | "registry" | "exceptions" | "incidents" | "accounts" | "tokens";

export const topics: readonly Topic[] = ["alerts", "checks", "sensors", "evidence", "reports", "transfers", "rules", "orders", "registry", "exceptions", "incidents", "accounts", "tokens"];

const quiet_ms = 400; // a burst of changes is fetched once
const retry_ms_min = 1_000;
const retry_ms_max = 30_000;

/** Whether the line is up; the pages poll while it is not. */
export const live = ref(false);

type Listener = () => void;

const listeners = new Map<Topic, Set<Listener>>();
const pending = new Map<Topic, ReturnType<typeof setTimeout>>();
let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;
let retry_ms = retry_ms_min;
let wasLost = false;

/** Call `listener` after each change of `topic`; returns the way to stop. */
export function onChange(topic: Topic, listener: Listener): () => void {
  const set = listeners.get(topic) ?? new Set();
  listeners.set(topic, set);
  set.add(listener);
  return () => set.delete(listener);
}

/** Open the line, once. */
export function connect(): void {
  if (source) return;
  source = new EventSource(apiUrl("stream"));
  source.onopen = () => {
    live.value = true;
    retry_ms = retry_ms_min;
    if (wasLost) topics.forEach(schedule); // what happened meanwhile is unknown: fetch all
    wasLost = false;
  };
  source.onerror = () => {
    live.value = false;
    wasLost = true;
    if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    source = null;
    retry = setTimeout(connect, retry_ms);
    retry_ms = Math.min(retry_ms * 2, retry_ms_max);
  };
  for (const topic of topics) source.addEventListener(topic, () => schedule(topic));
}

/** Close the line, for example at logout. */
export function disconnect(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  live.value = false;
  wasLost = false;
}

function schedule(topic: Topic): void {
  if (pending.has(topic)) return;
  const run = () => {
    pending.delete(topic);
    listeners.get(topic)?.forEach((listener) => listener());
  };
  pending.set(topic, setTimeout(run, quiet_ms));
}
