/** The chunk that the loader imports when the chat is needed. */
import { createRef, render } from "preact";
import { makeSheet } from "../loader/launcher.ts";
import type { Panel, Shell } from "../shell.ts";
import { openStorage } from "../storage.ts";
import { createChat } from "./chat.ts";
import { PANEL_CSS } from "./panel.css.ts";
import { PanelView } from "./panel.tsx";
import { fitViewport } from "./viewport.ts";

export function start(shell: Shell): Panel {
  const { root } = shell;
  const chat = createChat(shell);
  const container = document.createElement("div");
  const dialog = createRef<HTMLDivElement>();
  const field = createRef<HTMLTextAreaElement>();
  const phone = matchMedia("(max-width: 480px)");
  const touch = matchMedia("(pointer: coarse)");
  const drafts = openStorage("sessionStorage");
  const draftKey = `parley:${shell.widgetKey}:draft`;
  const draft = {
    read: () => drafts.getItem(draftKey) ?? "",
    write(text: string) {
      try {
        if (text === "") drafts.removeItem(draftKey);
        else drafts.setItem(draftKey, text);
      } catch {
        // The storage is full: the draft lasts as long as the page.
      }
    },
  };
  let open = false;
  let unfit = () => {};
  let cameFrom: HTMLElement | null = null;

  root.adoptedStyleSheets = [...root.adoptedStyleSheets, makeSheet(PANEL_CSS)];
  root.insertBefore(container, root.firstChild);

  function draw() {
    render(
      <PanelView
        chat={chat}
        shell={shell}
        open={open}
        modal={phone.matches}
        dialog={dialog}
        field={field}
        draft={draft}
      />,
      container,
    );
    unfit();
    unfit = open && phone.matches ? fitViewport(dialog.current!) : () => {};
  }
  phone.addEventListener("change", draw);
  draw();

  return {
    open() {
      open = true;
      const active = document.activeElement as HTMLElement | null;
      cameFrom = active === root.host || active === document.body ? shell.launcher : active;
      chat.connect();
      draw();
      // On a touch screen the keyboard would cover the messages.
      (touch.matches ? dialog.current : field.current)?.focus({ preventScroll: true });
    },
    close() {
      const focused = root.activeElement !== null;
      open = false;
      draw();
      if (focused) (cameFrom?.isConnected ? cameFrom : shell.launcher).focus();
    },
    identify: (visitor) => void chat.identify(visitor),
    connect: () => chat.connect(),
    destroy(forget) {
      open = false;
      phone.removeEventListener("change", draw);
      unfit();
      chat.destroy(forget);
      if (forget) drafts.removeItem(draftKey);
      render(null, container);
      container.remove();
    },
  };
}
