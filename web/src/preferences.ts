/** The reader's choices kept in this browser: language and theme. */
import { ref, watch } from "vue";

export type Language = "zh" | "en";
export type Theme = "light" | "dark";

const language_key = "liuhe.language";
const theme_key = "liuhe.theme";

/** Chinese unless the reader switched. */
export const language = ref<Language>(stored(language_key) === "en" ? "en" : "zh");

/** As the system says until the reader switches. */
export const theme = ref<Theme>(firstTheme());

watch(language, (value) => keep(language_key, value));
watch(theme, (value) => {
  keep(theme_key, value);
  showTheme(value);
});

/** Put the theme on the page; called once before the first paint. */
export function showTheme(value: Theme): void {
  document.documentElement.classList.toggle("dark", value === "dark");
}

function firstTheme(): Theme {
  const kept = stored(theme_key);
  if (kept === "light" || kept === "dark") return kept;
  return window.matchMedia?.("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be switched off by policy
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}
