/** One act at a time within a part of a page: whether it runs, and what was refused. */
import { ref, type Ref } from "vue";
import { ApiError } from "../api/client";

/** `run` does one act and then `after`; a refusal is kept in `error` until the next act. */
export function useDoing(after: () => void): { busy: Ref<boolean>; error: Ref<ApiError | null>; run: (act: () => Promise<unknown>) => Promise<boolean> } {
  const busy = ref(false);
  const error = ref<ApiError | null>(null);

  async function run(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = null;
    try {
      await act();
      after();
      return true;
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      error.value = caught;
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, error: error as Ref<ApiError | null>, run };
}
