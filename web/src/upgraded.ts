/** A page that was open while the center was upgraded asks for parts that are gone: say so, load anew once.
 *
 * Lazy parts carry the digest of what they hold in their names, so those of the build before answer 404. One
 * reload brings the new build at the address asked for. Where a part is missing again soon after, or where the
 * center does not answer at all, loading anew would not help: the person is told what to do instead.
 */
import type { Router } from "vue-router";
import { i18n } from "./i18n";

const key = "liuhe.reloaded";
/** A second failure this soon after the reload is no upgrade: loading again would go on for ever. */
export const again_ms = 60_000;
const read_ms = 900; // long enough to read why the page goes
const told_ms = 15_000;

/** What recovery needs of the browser: replaced in tests. */
export interface Place {
  now: () => number;
  /** Whether the center hands out its first page. */
  answers: () => Promise<boolean>;
  go: (address: string) => void;
  say: (text: string) => void;
  wait: (ms: number) => Promise<void>;
}

const browser: Place = {
  now: () => Date.now(),
  answers: () =>
    fetch(document.baseURI, { cache: "no-store", headers: { Accept: "text/html" } }).then(
      (answer) => answer.ok,
      () => false,
    ),
  go: (address) => {
    const wanted = new URL(address, location.href).href;
    if (wanted !== location.href) history.pushState(null, "", wanted);
    location.reload();
  },
  say: (text) => {
    const line = document.createElement("p"); // what draws messages may itself be a part that is gone
    line.className = "upgraded panel";
    line.setAttribute("role", "alert");
    line.textContent = text;
    document.body.append(line);
    setTimeout(() => line.remove(), told_ms);
  },
  wait: (ms) => new Promise((done) => setTimeout(done, ms)),
};

/** Whether an error says that a lazy part could not be loaded: each browser has its own words for it. */
export function isMissingPart(error: unknown): boolean {
  const text = error instanceof Error ? error.message : "";
  return /dynamically imported module|importing a module script failed|unable to preload css/i.test(text);
}

/** Loads `address` anew, at most once in a minute; whatever else is missing meanwhile is the same trouble. */
export function recovery(place: Place = browser): (address: string) => Promise<void> {
  let busy = false;
  return async (address) => {
    if (busy) return;
    busy = true;
    const again = place.now() - Number(sessionStorage.getItem(key) ?? 0) < again_ms;
    if (again || !(await place.answers())) {
      place.say(i18n.global.t(again ? "shell.upgraded.failed" : "shell.upgraded.unreachable"));
      await place.wait(read_ms);
      busy = false;
      return;
    }
    sessionStorage.setItem(key, String(place.now()));
    place.say(i18n.global.t("shell.upgraded.reload"));
    await place.wait(read_ms);
    place.go(address);
  };
}

/** Watch for missing parts: of the page gone to, and of those that a page loads later. */
export function recoverFromUpgrade(router: Router, recover = recovery()): void {
  router.onError((error, to) => {
    if (isMissingPart(error)) void recover(router.resolve(to.fullPath).href);
  });
  // The router, which knows the address asked for, hears of it before this timer runs.
  addEventListener("vite:preloadError", () => setTimeout(() => void recover(location.href)));
}
