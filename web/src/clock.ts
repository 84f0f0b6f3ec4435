/** One ticking clock for all relative times of the page. */
import { ref } from "vue";

const tick_ms = 10_000;

/** The present, renewed every ten seconds. */
export const now = ref(new Date());

setInterval(() => {
  now.value = new Date();
}, tick_ms);
