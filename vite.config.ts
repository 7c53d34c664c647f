import type {} from "nitro/vite";
import { defineConfig, type Plugin } from "vite";
import { fresh } from "fresh/vite";

/** What the picker shows of an emoji; the skin tones are three quarters of the data. */
const EMOJI_FIELDS = ["unicode", "label", "tags", "group", "order"];

const onlyWhatThePickerShows: Plugin = {
  name: "parley:emoji",
  enforce: "pre",
  transform(code, id) {
    if (!id.endsWith("/emojibase-data/en/compact.json")) return null;
    const emoji = JSON.parse(code) as Record<string, unknown>[];
    return JSON.stringify(
      emoji.map((one) =>
        Object.fromEntries(EMOJI_FIELDS.flatMap((name) => name in one ? [[name, one[name]]] : []))
      ),
    );
  },
};

export default defineConfig({
  plugins: [onlyWhatThePickerShows, fresh()],
  // Nitro would take the product's own server.ts for an entry of its server, which is not used.
  nitro: { serverEntry: false },
  build: {
    // The content security policy allows fonts and images from this origin only, no data: URLs.
    assetsInlineLimit: 0,
    // What the stylesheets use as written: nesting, light-dark(), relative colours.
    cssTarget: ["chrome123", "safari17.5", "firefox128"],
  },
});
