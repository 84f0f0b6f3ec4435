/** The rows that are chosen for an act: some by id, or every row of the filter. */
import { computed, ref, type Ref } from "vue";
import { between, type Queue } from "./queue";

export function useChoice(queue: Ref<Queue>, cursor: Ref<string>) {
  const ids = ref(new Set<string>());
  const all = ref(false);
  let anchor = "";

  function toggle(id: string): void {
    all.value = false;
    const next = new Set(ids.value);
    if (!next.delete(id)) next.add(id);
    ids.value = next;
    anchor = id;
  }

  /** Choose from the row chosen last (or the cursor) to this one. */
  function extend(to: string): void {
    all.value = false;
    const from = anchor || cursor.value || to;
    ids.value = new Set([...ids.value, ...between(queue.value, from, to)]);
    anchor ||= from;
  }

  function clear(): void {
    ids.value = new Set();
    all.value = false;
    anchor = "";
  }

  return {
    ids,
    all,
    count: computed(() => (all.value ? queue.value.total : ids.value.size)),
    toggle,
    extend,
    clear,
    takeAll: () => (all.value = true),
  };
}
