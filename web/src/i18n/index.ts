/** The reader's language: Chinese unless switched; both are in the first bundle, they are small. */
import { watch } from "vue";
import { createI18n } from "vue-i18n";
import type { Text } from "../api/types";
import { say, typeset } from "../format";
import { language } from "../preferences";
import en from "./en";
import zh from "./zh";

export type Messages = typeof zh;

// An English text that is missing is a type error here, not a surprise on the page.
const messages: { zh: Messages; en: Messages } = { zh, en };

export const i18n = createI18n({ legacy: false, locale: language.value, fallbackLocale: "zh", messages });

/** A sentence of the API in the reader's language, set as that language is. */
export function told(text: Text | undefined): string {
  const said = say(text, language.value);
  return language.value === "zh" ? typeset(said) : said;
}

/** A sentence that carries values of events: not a sign of it is changed, people copy from it. */
export function quoted(text: Text | undefined): string {
  return say(text, language.value);
}

/** The name of a value, or the value itself where the console does not know it (a newer center). */
export function named(group: string, value: string): string {
  const key = `words.${group}.${value}`;
  return i18n.global.te(key) ? i18n.global.t(key) : value;
}

watch(
  language,
  (value) => {
    i18n.global.locale.value = value;
    document.documentElement.lang = value === "zh" ? "zh-CN" : "en";
    document.title = i18n.global.t("shell.productLong");
  },
  { immediate: true, flush: "sync" },
);
