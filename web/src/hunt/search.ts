/** One hunt at a time: started, followed as it goes, stopped, and older rows fetched behind the last. */
import { computed, onBeforeUnmount, ref } from "vue";
import { ApiError, unreachable, withQuery } from "../api/client";
import type { EventRow, HuntProgress } from "../api/types";
import { listen, merged } from "./stream";

export const rows_max = 2_000;

export function useHunt() {
  const progress = ref<HuntProgress | null>(null);
  const older = ref<EventRow[]>([]);
  const next = ref("");
  const error = ref<ApiError | null>(null);
  const busy = ref(false);
  const asked = ref<{ q: string; since: string; until: string } | null>(null);
  let control: AbortController | undefined;

  const rows = computed(() => [...(progress.value?.events ?? []), ...older.value]);

  async function follow(query: Record<string, string | number>, told: (line: HuntProgress) => void): Promise<void> {
    control?.abort();
    const mine = (control = new AbortController());
    busy.value = true;
    error.value = null;
    try {
      await listen(withQuery("hunt/events", query), told, mine.signal);
    } catch (caught) {
      if (mine.signal.aborted) return;
      error.value = caught instanceof ApiError ? caught : new ApiError(0, unreachable);
    } finally {
      if (control === mine) busy.value = false;
    }
  }

  /** Search from the newest; what was known before stays until the first line comes. */
  async function start(q: string, since: string, until: string): Promise<void> {
    asked.value = { q, since, until };
    let known: HuntProgress | null = null;
    await follow({ q, since, until }, (line) => {
      if (!known) older.value = [];
      progress.value = known = merged(known, line);
      next.value = known.next;
    });
  }

  /** The rows behind the last one. */
  async function more(): Promise<void> {
    if (!asked.value || !next.value) return;
    const before = older.value;
    let known: HuntProgress | null = null;
    await follow({ ...asked.value, cursor: next.value, slots: 0 }, (line) => {
      known = merged(known, line);
      older.value = [...before, ...(known.events ?? [])];
      if (line.done || line.stopped) next.value = known.next;
    });
  }

  /** Give up; what was found stays. */
  function stop(): void {
    control?.abort();
    busy.value = false;
    if (progress.value && !progress.value.done) progress.value = { ...progress.value, stopped: true };
  }

  onBeforeUnmount(() => control?.abort());
  return { progress, rows, next, error, busy, asked, start, more, stop };
}
