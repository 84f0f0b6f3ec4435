/** Build, development server and test settings of the console. */
import vue from "@vitejs/plugin-vue";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import Components from "unplugin-vue-components/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The folder of built files stays in git, empty: put its marker back after each build. */
function keepFolder(): Plugin {
  let folder = "";
  return {
    name: "keep-folder",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      writeFileSync(resolve(folder, ".gitkeep"), "");
    },
  };
}

// The running center the development server and `npm run types` talk to.
const center = process.env.LIUHE_CENTER ?? "http://127.0.0.1:8600";

export default defineConfig({
  // Relative addresses resolve against <base href> in index.html, so a proxy under a sub-path only
  // rewrites that one attribute.
  base: "./",
  plugins: [
    vue(),
    Components({ dirs: [], dts: "components.d.ts", resolvers: [ElementPlusResolver({ importStyle: "css" })] }),
    keepFolder(),
  ],
  define: { __VUE_I18N_LEGACY_API__: "false" },
  build: {
    target: "chrome100", // domestic browsers lag: their kernels are Chromium 100 to 110
    assetsInlineLimit: 0, // no data: addresses, so that the content security policy can be 'self'
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": { target: center, changeOrigin: false } } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] },
});
