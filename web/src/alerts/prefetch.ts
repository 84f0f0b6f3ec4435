/**
 * Details fetched before they are asked for: of the row under the cursor, and of the one the mouse rests on.
 *
 * What was fetched early is shown at once and asked for again: it may have changed meanwhile.
 */
import { useQueryClient } from "@tanstack/vue-query";
import { onBeforeUnmount, watch, type Ref } from "vue";
import { get } from "../api/client";
import type { AlertDetail } from "../api/types";

const rest_ms = 80; // a key that is held, or a mouse that passes, fetches nothing
const fresh_ms = 10_000;

/** The path of a group's detail. */
export const detailPath = (group: string) => `alerts/${encodeURIComponent(group)}`;

/** Follow the cursor; `near` is told of rows the mouse enters. */
export function usePrefetch(cursor: Ref<string>) {
  const client = useQueryClient();
  let resting: ReturnType<typeof setTimeout> | undefined;

  function near(group: string): void {
    clearTimeout(resting);
    if (!group) return;
    const path = detailPath(group);
    resting = setTimeout(() => void client.prefetchQuery({ queryKey: [path], queryFn: ({ signal }) => get<AlertDetail>(path, signal), staleTime: fresh_ms }), rest_ms);
  }

  watch(cursor, near);
  onBeforeUnmount(() => clearTimeout(resting));
  return { near };
}
