/** Titles of checks by their id, for pages that name checks. */
import { computed } from "vue";
import { useLive } from "../api/live";
import type { CheckPage } from "../api/types";
import { told } from "../i18n";

/** `title(id)` is the check's title in the reader's language, '' until it is known. */
export function useTitles() {
  const { data } = useLive<CheckPage>("checks", []);
  const known = computed(() => new Map((data.value?.checks ?? []).map((one) => [one.id, one.title])));
  return (check: string) => told(known.value.get(check));
}
