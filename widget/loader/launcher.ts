import type { WidgetAppearance } from "../../protocol/model.ts";
import { readable, textOn } from "./color.ts";
import { LAUNCHER_CSS } from "./launcher.css.ts";

const SVG = "http://www.w3.org/2000/svg";

export interface Launcher {
  host: HTMLElement;
  root: ShadowRoot;
  button: HTMLButtonElement;
  setUnread(count: number): void;
  setOpen(open: boolean): void;
  /** The chat could not be loaded; the button shows it until it is pressed again. */
  setFailed(): void;
  setVisible(visible: boolean): void;
  setLook(appearance: WidgetAppearance): void;
}

/** A style sheet made by script: unlike a style element it is allowed under `style-src 'self'`. */
export function makeSheet(css: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
function icon(className: string, path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", className);
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** The accent, and readable colours on it and beside it, in both themes. */
function variables(accent: string): string {
  const onAccent = textOn(accent);
  const edge = onAccent === "#ffffff" ? "rgb(255 255 255/.18)" : "rgb(0 0 0/.22)";
  return `:host{--accent:${accent};--on-accent:${onAccent};--edge:${edge};` +
    `--ink-light:${readable(accent, "#eef0f4")};--ink-dark:${readable(accent, "#2a2d35")}}`;
}

/** Renders the button in its own shadow root at the end of the page. */
export function drawLauncher(appearance: WidgetAppearance, toggle: () => void): Launcher {
  const host = document.createElement("parley-widget");
  const root = host.attachShadow({ mode: "open" });
  const colors = new CSSStyleSheet();
  root.adoptedStyleSheets = [makeSheet(LAUNCHER_CSS), colors];

  const button = element("button", "launcher") as HTMLButtonElement;
  button.type = "button";
  button.setAttribute("aria-haspopup", "dialog");
  const label = element("span", "label");
  const badge = element("span", "badge");
  badge.setAttribute("aria-hidden", "true");
  button.append(
    icon(
      "chat",
      "M21 11.5a8.4 8.4 0 0 1-8.5 8.4 9 9 0 0 1-3.6-.7L4 20.5l1.4-4A8.2 8.2 0 0 1 4 11.5 8.4 8.4 0 0 1 12.5 3 8.4 8.4 0 0 1 21 11.5Z",
    ),
    icon("shut", "m6 9 6 6 6-6"),
    label,
    badge,
  );
  button.addEventListener("click", toggle);
  root.append(button);

  let open = false;
  let unread = 0;
  let failed = "";
  let text = "";
  function setLook({ accent, position, launcherLabel }: WidgetAppearance) {
    colors.replaceSync(variables(accent));
    host.dataset.side = position;
    label.textContent = text = launcherLabel;
    label.hidden = text === "";
    draw();
  }
  function draw() {
    const name = text || "Open chat";
    const waiting = unread === 0
      ? ""
      : `, ${unread} unread ${unread === 1 ? "message" : "messages"}`;
    button.setAttribute("aria-label", failed || (open ? "Close chat" : name + waiting));
    button.title = failed;
    button.setAttribute("aria-expanded", String(open));
    badge.textContent = unread > 9 ? "9+" : String(unread);
    badge.hidden = unread === 0 || open;
  }
  setLook(appearance);
  document.body.append(host);

  return {
    host,
    root,
    button,
    setUnread(count) {
      unread = count;
      draw();
    },
    setOpen(next) {
      open = next;
      failed = "";
      draw();
    },
    setFailed() {
      open = false;
      failed = "The chat could not be loaded. Check your connection and try again.";
      draw();
    },
    setVisible: (visible) => void (button.hidden = !visible),
    setLook,
  };
}
