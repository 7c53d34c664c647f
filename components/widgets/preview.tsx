/** The chat as a visitor sees it, rendered with the widget's own style sheets and icons. */
import type { WidgetAppearance } from "../../protocol/model.ts";
import { readable, textOn } from "../../widget/loader/color.ts";
import { LAUNCHER_CSS } from "../../widget/loader/launcher.css.ts";
import { PANEL_CSS } from "../../widget/panel/panel.css.ts";
import { ChatIcon, CloseIcon, SendIcon } from "../../widget/panel/icons.tsx";

/** The backgrounds on which the widget shows text in the accent colour (widget/loader). */
const GROUNDS = { light: "#eef0f4", dark: "#2a2d35" };
const DARK = "@media (prefers-color-scheme: dark)";

/**
 * The panel's size depends on the window; here the stage is the window. Below 480 px the widget
 * fills the window of a phone, and here it fills the stage.
 */
const STAGE_CSS = `
:host { color-scheme: inherit; }
@media (min-width: 480.02px) {
  .panel { width: min(392px, calc(100% - 40px)); height: calc(100% - 112px); }
}
.panel, .launcher { animation: none; transition: none; }
`;

/** In these style sheets `:host` is the element with the preview's shadow root. */
export function previewCss(accent: string, theme: "light" | "dark"): string {
  const onAccent = textOn(accent);
  const edge = onAccent === "#ffffff" ? "rgb(255 255 255/.18)" : "rgb(0 0 0/.22)";
  const variables = `:host{--accent:${accent};--on-accent:${onAccent};--edge:${edge};` +
    `--ink-light:${readable(accent, GROUNDS.light)};--ink-dark:${readable(accent, GROUNDS.dark)}}`;
  // The visitor's theme is chosen beside the preview, not by the agent's own system.
  const panel = PANEL_CSS.replaceAll(DARK, theme === "dark" ? "@media all" : "@media not all");
  return [LAUNCHER_CSS, variables, panel, STAGE_CSS].join("\n");
}

export function Launcher({ label, open }: { label: string; open: boolean }) {
  return (
    <button type="button" class="launcher" aria-expanded={open ? "true" : "false"}>
      {open
        ? (
          <svg class="shut" viewBox="0 0 24 24">
            <path d="m6 9 6 6 6-6" />
          </svg>
        )
        : <ChatIcon />}
      {!open && label.trim() !== "" && <span class="label">{label}</span>}
    </button>
  );
}

/** A short conversation that shows every element with the accent. */
export function Panel({ appearance, agent }: { appearance: WidgetAppearance; agent: string }) {
  return (
    <div class="panel">
      <div class="head">
        <div class="who">
          <h2>{appearance.title}</h2>
          <p>
            <i class="dot online" />
            {agent} is online
          </p>
        </div>
        <span class="close">
          <CloseIcon />
        </span>
      </div>
      <div class="thread">
        <div class="log">
          {appearance.greeting.trim() !== "" && (
            <div class="greeting">
              <span class="avatar">
                <ChatIcon />
              </span>
              <p>{appearance.greeting}</p>
            </div>
          )}
          <div class="entry">
            <div class="line own last">
              <div class="said">
                <div class="bubble">Do you deliver on Saturdays?</div>
              </div>
            </div>
          </div>
          <div class="entry">
            <div class="line team last">
              <div class="said">
                <div class="bubble">We do! Order by Thursday evening.</div>
              </div>
            </div>
          </div>
        </div>
      </div>
      <div class="composer">
        <div class="field">
          <textarea rows={1} readOnly placeholder={appearance.placeholder || "Write a message…"} />
          <span class="send">
            <SendIcon />
          </span>
        </div>
      </div>
    </div>
  );
}
