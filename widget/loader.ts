/** /widget.js: the launcher, the `Parley(...)` calls, and the import of the panel. */
import { matchesPage } from "../protocol/page_glob.ts";
import { fetchWidget, ownLook, readTag, type TagConfig } from "./loader/config.ts";
import { drawLauncher, type Launcher } from "./loader/launcher.ts";
import { watchPage } from "./panel/page.ts";
import type { Panel, PanelModule, Shell, Visitor, WidgetEvent } from "./shell.ts";
import { openStorage, storedKeys } from "./storage.ts";

/** The file name of the panel, set by the build. */
declare const PANEL_FILE: string;

type Handler = (detail: unknown) => void;
interface Api {
  (command: string, ...values: unknown[]): void;
  /** Calls that were made before this script was loaded. */
  q?: ArrayLike<unknown>[];
  loaded?: true;
}
const page = globalThis as unknown as { Parley?: Api };

function begin(tag: TagConfig) {
  const handlers = new Map<string, Set<Handler>>();
  const ended = new AbortController();
  let launcher: Launcher | undefined;
  let panel: Panel | undefined;
  let loading: Promise<Panel | undefined> | undefined;
  let open = false;
  let visitor: Visitor | undefined;
  let failures = 0;
  let vanished = false;

  function emit(event: WidgetEvent, detail: unknown = null) {
    for (const handler of [...handlers.get(event) ?? []]) {
      try {
        handler(detail);
      } catch (error) {
        console.error("Parley: a handler failed:", error);
      }
    }
    document.dispatchEvent(new CustomEvent(`parley:${event}`, { detail, bubbles: true }));
  }

  async function loadPanel(shell: Shell): Promise<Panel | undefined> {
    try {
      // Browsers cache a failed import, so each retry uses another address.
      const again = failures === 0 ? "" : `?${failures}`;
      const module: PanelModule = await import(`${tag.base}widget/${PANEL_FILE}${again}`);
      if (ended.signal.aborted) return;
      panel = module.start(shell);
      if (visitor) panel.identify(visitor);
      return panel;
    } catch (error) {
      console.error("Parley: cannot load the chat:", error);
      failures++;
      loading = undefined;
    }
  }

  async function setOpen(next: boolean, shell: Shell) {
    if (next === open || vanished) return;
    open = next;
    launcher?.setOpen(open);
    if (!open) {
      panel?.close();
      return emit("closed");
    }
    const loaded = await (loading ??= loadPanel(shell));
    // It may have been closed again during the import.
    if (!open) return;
    if (!loaded) {
      open = false;
      return launcher?.setFailed();
    }
    loaded.open();
    emit("opened");
  }

  async function draw(): Promise<Shell> {
    const { appearance, pages } = await fetchWidget(tag);
    if (document.body === null) {
      await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
    }
    if (ended.signal.aborted) throw new Error("destroyed");
    launcher = drawLauncher(appearance, () => setOpen(!open, shell));
    const shell: Shell = {
      widgetKey: tag.widgetKey,
      base: tag.base,
      locale: tag.locale,
      appearance,
      root: launcher.root,
      launcher: launcher.button,
      emit,
      setUnread(count) {
        launcher?.setUnread(count);
        emit("unread", { count });
      },
      setAppearance(next) {
        launcher?.setLook(shell.appearance = ownLook(tag, next));
      },
      vanish() {
        void setOpen(false, shell);
        vanished = true;
        panel?.destroy(false);
        panel = undefined;
        if (launcher) launcher.host.hidden = true;
      },
      close: () => void setOpen(false, shell),
    };
    const preload = () => void (loading ??= loadPanel(shell));
    for (const type of ["pointerenter", "focus"]) {
      launcher.button.addEventListener(type, preload, { once: true });
    }
    const idle = globalThis.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 200));
    // A visitor who wrote before may have an answer.
    if (storedKeys(openStorage("localStorage"), tag.widgetKey).length > 0) {
      idle(preload, { timeout: 2_000 });
    }
    if (pages.length > 0) {
      // On such a page the bot may write first. Once connected, the panel reports pages itself.
      const look = async () => {
        if (vanished || !matchesPage(pages, location.href)) return;
        stop();
        (await (loading ??= loadPanel(shell)))?.connect();
      };
      const stop = watchPage(look);
      ended.signal.addEventListener("abort", stop);
      idle(look, { timeout: 2_000 });
    }
    emit("ready");
    return shell;
  }

  async function drawWhenPossible(): Promise<Shell> {
    try {
      return await draw();
    } catch (error) {
      if (navigator.onLine || ended.signal.aborted) throw error;
      await new Promise((done) => addEventListener("online", done, { signal: ended.signal }));
      return drawWhenPossible();
    }
  }

  const ready = drawWhenPossible();
  ready.catch((error) => {
    if (!ended.signal.aborted) console.warn(`Parley: cannot show the chat: ${error.message}`);
  });

  function destroy(options?: { forget?: boolean }) {
    ended.abort();
    panel?.destroy(options?.forget === true);
    if (options?.forget) {
      const storage = openStorage("localStorage");
      for (const key of storedKeys(storage, tag.widgetKey)) storage.removeItem(key);
    }
    launcher?.host.remove();
    handlers.clear();
    delete page.Parley;
  }

  const api: Api = (command, ...values) => {
    const [first, second] = values;
    switch (command) {
      // These need no panel, and "ready" must not be missed.
      case "on":
        if (!handlers.has(first as string)) handlers.set(first as string, new Set());
        handlers.get(first as string)?.add(second as Handler);
        return;
      case "off":
        if (second === undefined) handlers.delete(first as string);
        else handlers.get(first as string)?.delete(second as Handler);
        return;
      case "destroy":
        return destroy(first as { forget?: boolean });
      case "identify":
        visitor = { ...visitor, ...first as Visitor };
        return panel?.identify(visitor);
    }
    ready.then((shell) => {
      if (ended.signal.aborted) return;
      if (command === "open") setOpen(true, shell);
      else if (command === "close") setOpen(false, shell);
      else if (command === "toggle") setOpen(!open, shell);
      else if (command === "show" || command === "hide") launcher?.setVisible(command === "show");
      else console.warn(`Parley: there is no command "${command}"`);
    }, () => {});
  };
  api.loaded = true;
  const queued = page.Parley?.q ?? [];
  page.Parley = api;
  for (const [command, ...values] of Array.from(queued, (one) => Array.from(one))) {
    api(command as string, ...values);
  }
}

const tag = readTag();
if (tag === null) console.warn("Parley: the script tag has no data-widget-key");
// A second tag, or a router that runs the first tag again, has no effect.
else if (!page.Parley?.loaded) begin(tag);
