/** The time now, told anew every half second while somebody looks at it. */
import { customRef } from "vue";

const beat_ms = 500;

export const clockNow = customRef<number>((track, trigger) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    get() {
      track();
      timer ??= setTimeout(() => {
        timer = undefined;
        trigger();
      }, beat_ms);
      return Date.now();
    },
    set() {},
  };
});
