/** Start of the console. */
import { QueryClient, VueQueryPlugin } from "@tanstack/vue-query";
import { createApp } from "vue";
import App from "./App.vue";
import { ApiError, whenSignedOut } from "./api/client";
import { disconnect } from "./api/stream";
import { i18n } from "./i18n";
import { showTheme, theme } from "./preferences";
import { router } from "./router";
import { forget } from "./session";
import { recoverFromUpgrade } from "./upgraded";
import "element-plus/theme-chalk/dark/css-vars.css";
import "element-plus/theme-chalk/base.css";
import "./styles/tokens.css";
import "./styles/base.css";

showTheme(theme.value);

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // Only a lost connection is worth a second try: an answer that says no will say no again.
      retry: (tries, error) => tries < 2 && error instanceof ApiError && error.status === 0,
    },
  },
});

whenSignedOut(() => {
  forget();
  disconnect();
  queries.clear();
  const here = router.currentRoute.value;
  if (here.name !== "login") void router.replace({ name: "login", query: { to: here.fullPath, ended: "1" } });
});

recoverFromUpgrade(router);

createApp(App).use(i18n).use(router).use(VueQueryPlugin, { queryClient: queries }).mount("#app");
