/** The side bar: its groups with the pages a person may open, what is folded, and what is overdue. */
import { computed, ref, watch } from "vue";
import { navGroups, pages, type NavGroup, type PageName } from "./router";
import type { OverduePage } from "./api/types";
import type { Permission } from "./session";

const key = "liuhe.nav";

interface Kept {
  narrow: boolean;
  folded: NavGroup[];
}

/** Whether only the icons are shown, and which groups are closed; remembered in this browser. */
export const nav = ref<Kept>(kept(read()));

watch(nav, (value) => write(JSON.stringify(value)), { deep: true });

/** Whether the window is too small for names beside the icons. */
const small = ref(false);
const smallness = window.matchMedia?.("(max-width: 1000px)");
if (smallness) {
  small.value = smallness.matches;
  smallness.addEventListener("change", (event) => (small.value = event.matches));
}

/** Whether only the icons are shown: chosen, or for want of room. */
export const narrow = computed(() => nav.value.narrow || small.value);

/** What was kept, where it still makes sense. */
export function kept(text: string | null): Kept {
  try {
    const found = JSON.parse(text ?? "") as Partial<Kept>;
    const folded = Array.isArray(found.folded) ? navGroups.filter((group) => group && found.folded?.includes(group)) : [];
    return { narrow: found.narrow === true, folded };
  } catch {
    return { narrow: false, folded: [] };
  }
}

/** Close an open group, open a closed one. */
export function fold(group: NavGroup): void {
  const folded = nav.value.folded;
  nav.value.folded = folded.includes(group) ? folded.filter((one) => one !== group) : [...folded, group];
}

/** The groups that have pages for this person, in their order. */
export function groupsFor(may: (permission: Permission) => boolean) {
  return navGroups.map((name) => ({ name, pages: pages.filter((page) => page.group === name && may(page.permission)) })).filter((group) => group.pages.length);
}

/** How many things are overdue on a page; 0 where nothing can be. */
export function lateOn(page: PageName, late: OverduePage | undefined): number {
  return page === "incidents" || page === "notices" || page === "orders" ? (late?.[page] ?? 0) : 0;
}

function read(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be switched off by policy
  }
}

function write(text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // The choice then lasts as long as the page.
  }
}
