/** The queue as it lives on the page: pages fetched where they are looked at, merged as the center changes. */
import { computed, onBeforeUnmount, ref, shallowRef, watch, type Ref } from "vue";
import { get, withQuery } from "../api/client";
import { follow } from "../api/live";
import { live } from "../api/stream";
import type { AlertCount, AlertGroup, AlertPage } from "../api/types";
import { toParameters, type Filter } from "./address";
import { emptyQueue, fromPage, merge, missing, moveCursor, page_rows, put, replaceRows, request, rowOf, tell } from "./queue";

const poll_ms = 15_000;
const again_ms = 1_000; // however fast the center changes, the list is fetched anew no more often
const settle_ms = 60; // a scroll bar that is dragged fetches where it stops

/** `free` tells whether the list is at its top with nothing selected. */
export function useQueue(filter: Ref<Filter>, free: () => boolean) {
  const queue = shallowRef(emptyQueue());
  const cursor = ref("");
  const error = ref<unknown>(null);
  const ready = ref(false);
  const underway = new Set<number>();
  let asked = 0;
  let generation = 0; // pages of another filter are not put into this one's list
  let began = new Date();
  let seen = { first: 0, last: 0 };
  let fetched = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;

  const ask = (more: { cursor?: string; offset?: number }) =>
    get<AlertPage>(withQuery("alerts", { ...toParameters(filter.value, began), limit: page_rows, whole: "false", cursor: more.cursor ?? "", offset: more.offset || "" }));

  /** Rows are put in place; a new object around them tells the list to look again. */
  const touch = () => (queue.value = { ...queue.value });

  async function fetchFirst(restart: boolean): Promise<void> {
    const question = ++asked;
    if (restart) {
      began = new Date();
      generation += 1;
    }
    try {
      const page = await ask({});
      if (question !== asked) return; // a newer question was asked meanwhile
      queue.value = restart ? fromPage(page) : merge(queue.value, page, free(), filter.value.sort);
      touch();
      error.value = null;
      ready.value = true;
      if (!page.exact) void fetchTotal(question);
      void fetchSeen(true);
    } catch (caught) {
      if (question === asked) error.value = caught;
    }
  }

  /** The page is shown; how many rows there are is told when they are counted. */
  async function fetchTotal(question: number): Promise<void> {
    const mine = generation;
    try {
      const { sort: _, ...asked_ } = toParameters(filter.value, began);
      const found = await get<AlertCount>(withQuery("alerts/count", asked_));
      if (mine !== generation || question !== asked) return;
      tell(queue.value, found.total);
      touch();
    } catch (caught) {
      error.value = caught;
    }
  }

  /** Something changed: fetch the first page again, at once or when the last time is long enough ago. */
  function again(): void {
    if (waiting) return;
    const rest = Math.max(0, fetched + again_ms - Date.now());
    waiting = setTimeout(() => {
      waiting = undefined;
      fetched = Date.now();
      void fetchFirst(false);
    }, rest);
  }

  /** Fetch what is looked at and not there; `again` fetches pages that are there as well, to see them change. */
  async function fetchSeen(again = false): Promise<void> {
    const mine = generation;
    const pages = missing(queue.value, seen.first, seen.last);
    const place = Math.floor(seen.first / page_rows);
    const renewed = again && place > 0 && !pages.includes(place) ? [place] : [];
    for (const page of [...pages, ...renewed]) {
      if (underway.has(page)) continue;
      underway.add(page);
      try {
        const found = await ask(request(queue.value, page));
        if (mine !== generation) return;
        if (renewed.includes(page)) replaceRows(queue.value, found.rows);
        else put(queue.value, page, found);
        touch();
      } catch (caught) {
        error.value = caught;
      } finally {
        underway.delete(page);
      }
    }
  }

  /** The rows in view, so that they are fetched. */
  function look(first: number, last: number): void {
    seen = { first, last };
    if (!missing(queue.value, first, last).length) return;
    clearTimeout(settling);
    settling = setTimeout(() => void fetchSeen(), settle_ms);
  }

  function move(step: number): void {
    cursor.value = moveCursor(queue.value, cursor.value, step);
  }

  function replace(rows: readonly AlertGroup[]): void {
    replaceRows(queue.value, rows);
    touch();
  }

  watch(
    filter,
    () => {
      cursor.value = "";
      void fetchFirst(true);
    },
    { immediate: true },
  );
  follow(["alerts"], again);
  const timer = setInterval(() => {
    if (!live.value) void fetchFirst(false);
  }, poll_ms);
  onBeforeUnmount(() => {
    clearInterval(timer);
    clearTimeout(settling);
    clearTimeout(waiting);
  });

  return {
    queue,
    pending: computed(() => queue.value.pending.length),
    total: computed(() => queue.value.total),
    exact: computed(() => queue.value.exact),
    cursor,
    error,
    ready,
    look,
    move,
    replace,
    row: (id: string) => rowOf(queue.value, id),
    retry: () => fetchFirst(true),
    /** Show what waits behind the hint: the list begins anew. */
    showPending: () => fetchFirst(true),
  };
}
