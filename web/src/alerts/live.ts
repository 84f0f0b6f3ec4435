/** The queue as it lives on the page: fetched by filter, merged as the center changes, one cursor. */
import { computed, onBeforeUnmount, ref, watch, type Ref } from "vue";
import { get, withQuery } from "../api/client";
import { follow } from "../api/live";
import { live } from "../api/stream";
import type { AlertGroup, AlertPage } from "../api/types";
import { emptyQueue, fromPage, merge, moveCursor, replaceRow, withMore } from "./queue";

const page_rows = 200;
const poll_ms = 15_000;

/** What the list is narrowed to; kept in the address. */
export interface Filter {
  state: string;
  severity: string;
  detector: string;
  q: string;
}

/** `free` tells whether the list is at its top with nothing selected. */
export function useQueue(filter: Ref<Filter>, free: () => boolean) {
  const queue = ref(emptyQueue);
  const cursor = ref("");
  const error = ref<unknown>(null);
  const ready = ref(false);
  const more = ref(false);
  let asked = 0;

  async function fetchFirst(restart: boolean): Promise<void> {
    const ask = ++asked;
    try {
      const page = await get<AlertPage>(withQuery("alerts", { ...filter.value, limit: page_rows }));
      if (ask !== asked) return; // a newer question was asked meanwhile
      queue.value = restart ? fromPage(page) : merge(queue.value, page, free());
      error.value = null;
      ready.value = true;
    } catch (caught) {
      if (ask === asked) error.value = caught;
    }
  }

  async function fetchMore(): Promise<void> {
    if (more.value || !queue.value.next) return;
    more.value = true;
    const ask = asked;
    try {
      const page = await get<AlertPage>(withQuery("alerts", { ...filter.value, cursor: queue.value.next, limit: page_rows }));
      if (ask === asked) queue.value = withMore(queue.value, page);
    } catch (caught) {
      error.value = caught;
    } finally {
      more.value = false;
    }
  }

  function move(step: number): void {
    cursor.value = moveCursor(queue.value.rows, cursor.value, step);
  }

  function replace(row: AlertGroup): void {
    queue.value = replaceRow(queue.value, row);
  }

  watch(
    filter,
    () => {
      cursor.value = "";
      ready.value = false;
      queue.value = emptyQueue;
      void fetchFirst(true);
    },
    { immediate: true },
  );
  follow(["alerts"], () => void fetchFirst(false));
  const timer = setInterval(() => {
    if (!live.value) void fetchFirst(false);
  }, poll_ms);
  onBeforeUnmount(() => clearInterval(timer));

  return {
    rows: computed(() => queue.value.rows),
    pending: computed(() => queue.value.pending.length),
    total: computed(() => queue.value.total),
    hasMore: computed(() => queue.value.next !== ""),
    cursor,
    error,
    ready,
    move,
    replace,
    fetchMore,
    showPending: () => fetchFirst(true),
    retry: () => fetchFirst(!ready.value),
  };
}
