/** Queries that follow the live line: fetched again when their topic changes, by timer while the line is down. */
import { useInfiniteQuery, useQuery } from "@tanstack/vue-query";
import { computed, onBeforeUnmount, toValue, type MaybeRefOrGetter } from "vue";
import { get, withQuery } from "./client";
import { live, onChange, type Topic } from "./stream";

const poll_ms = 15_000;
const page_rows = 100;

const interval = () => (live.value ? false : poll_ms);

/** Run `listener` on each change of the topics for as long as the component lives. */
export function follow(of: readonly Topic[], listener: () => void): void {
  const stops = of.map((topic) => onChange(topic, listener));
  onBeforeUnmount(() => stops.forEach((stop) => stop()));
}

/** One body, fetched again with its topics; what was fetched `fresh_ms` ago is shown without asking again. */
export function useLive<T>(path: MaybeRefOrGetter<string>, of: readonly Topic[], fresh_ms = 5_000) {
  const query = useQuery({
    queryKey: [computed(() => toValue(path))],
    queryFn: ({ signal }) => get<T>(toValue(path), signal),
    enabled: computed(() => toValue(path) !== ""),
    staleTime: fresh_ms,
    refetchInterval: interval,
    refetchOnWindowFocus: false, // some reads are audited: only a change is a reason to read again
  });
  follow(of, () => {
    if (toValue(path)) void query.refetch();
  });
  return query;
}

/** Pages by cursor, newest first (from `start` on, if it is given), fetched again with their topics. */
export function usePages<T extends { next: string }>(path: string, of: readonly Topic[], start = "") {
  const query = useInfiniteQuery({
    queryKey: [path, "pages", start],
    queryFn: ({ pageParam, signal }) => get<T>(withQuery(path, { cursor: pageParam, limit: page_rows }), signal),
    initialPageParam: start,
    getNextPageParam: (page: T) => page.next || undefined,
    refetchInterval: interval,
    refetchOnWindowFocus: false,
  });
  follow(of, () => void query.refetch());
  return query;
}
