import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Moon, Sun } from "lucide-preact";
import type { WidgetAppearance } from "../../protocol/model.ts";
import { Choice } from "../ui/Choice.tsx";
import { useWorkspace } from "../shell/context.ts";
import { isHex } from "./accent.ts";
import { Launcher, Panel, previewCss } from "./preview.tsx";

const STATES = [{ value: "open", label: "Open" }, { value: "closed", label: "Closed" }] as const;
const THEMES = [
  { value: "light", label: "Light", icon: <Sun size={14} aria-hidden="true" /> },
  { value: "dark", label: "Dark", icon: <Moon size={14} aria-hidden="true" /> },
] as const;

/** A part of a website with the chat. Rendered in the browser only, because it has its own root. */
export function WidgetPreview({ appearance }: { appearance: WidgetAppearance }) {
  const { me } = useWorkspace();
  const [state, setState] = useState<"open" | "closed">("open");
  const [theme, setTheme] = useState<"light" | "dark">("light");
  const lastAccent = useRef(appearance.accent);
  // While a colour is being typed, the last complete one stays.
  if (isHex(appearance.accent)) lastAccent.current = appearance.accent;
  const host = useRef<HTMLDivElement>(null);
  const agent = me.value.name;
  const accent = lastAccent.current;

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(previewCss(accent, theme));
    root.adoptedStyleSheets = [sheet];
  }, [accent, theme]);
  useEffect(() => {
    host.current!.dataset.side = appearance.position;
    const open = state === "open";
    render(
      <>
        {open && <Panel appearance={appearance} agent={agent} />}
        <Launcher label={appearance.launcherLabel} open={open} />
      </>,
      host.current!.shadowRoot!,
    );
  }, [appearance, state, agent]);

  return (
    <section class="preview" aria-labelledby="preview-title">
      <h2 id="preview-title">Preview</h2>
      <div
        class="preview-stage"
        data-theme={theme}
        role="img"
        aria-label={`The chat “${appearance.title}” on a website, ${state}`}
      >
        <div class="preview-page" aria-hidden="true">
          <i />
          <i />
          <i />
          <i />
          <i />
        </div>
        <div ref={host} inert />
      </div>
      <div class="preview-choices">
        <Choice
          label="Chat"
          labelHidden
          name="preview-state"
          value={state}
          options={STATES}
          onChange={setState}
        />
        <Choice
          label="The visitor’s theme"
          labelHidden
          name="preview-theme"
          value={theme}
          options={THEMES}
          onChange={setTheme}
        />
      </div>
    </section>
  );
}
