import type {} from "nitro/vite";
import { defineConfig } from "vite";
import { fresh } from "fresh/vite";

export default defineConfig({
  plugins: [fresh()],
  // Nitro would take the product's own server.ts for an entry of its server, which is not used.
  nitro: { serverEntry: false },
  build: {
    // The content security policy allows fonts and images from this origin only, no data: URLs.
    assetsInlineLimit: 0,
    // What the stylesheets use as written: nesting, light-dark(), relative colours.
    cssTarget: ["chrome123", "safari17.5", "firefox128"],
  },
});
