/**
 * Changes of page without a full load: the server renders the new page as always, and of its HTML the
 * island, its props, the title and the style sheets are taken. So a page keeps its connection, and
 * nothing is started again. Whatever is not a page of this kind (another build, the sign-in, an error
 * of the server) is loaded by the browser as usual.
 */
import type { ComponentType } from "preact";

// deno-lint-ignore no-explicit-any -- each island packs its props in its own type
export type PageComponent = ComponentType<{ start: any }>;

export interface LoadedPage {
  Page: PageComponent;
  start: string;
}

export interface PageHost {
  show(page: LoadedPage): void;
  /** The page could not be loaded, and the one that is shown stays. */
  failed(): void;
}

const PAGE =
  /^\/(?:$|(?:conversations|contacts|rules|widgets|analytics|settings|websocket-test)(?:\/|$))/;
/** Pages of the inbox move among themselves, see inbox_navigation.ts. */
const INBOX = /^\/(?:$|conversations\/)/;
/** Places whose scroll position is kept, the oldest are forgotten. */
const MAX_PLACES = 50;

let host: PageHost | null = null;
let underWay: AbortController | null = null;
/** The address of the page that is shown, without that of a conversation in the inbox. */
let shown = "";
const places = new Map<string, number>();
let place: string | undefined;

/** Shows a page of the dashboard. Without a host, or for another address, the browser loads it. */
export function navigate(href: string): void {
  const url = new URL(href, location.href);
  if (host === null || !isPage(url)) location.assign(url);
  else if (mayLeave()) void change(url, "push");
}

/** Follows links and the history for this host; returns a function that ends that. */
export function follow(own: PageHost): () => void {
  host = own;
  shown = location.pathname;
  place = placeNow();
  document.addEventListener("click", onClick);
  // Before the inbox, which handles moves of its own.
  globalThis.addEventListener("popstate", onPopState, { capture: true });
  return () => {
    host = null;
    document.removeEventListener("click", onClick);
    globalThis.removeEventListener("popstate", onPopState, { capture: true });
  };
}

const isPage = (url: URL) => url.origin === location.origin && PAGE.test(url.pathname);

/** An identity of the entry of the history, where the browser tells it. */
const placeNow = () =>
  (globalThis as { navigation?: { currentEntry?: { key?: string } } }).navigation?.currentEntry
    ?.key;

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest("a[href]") as HTMLAnchorElement | null;
  if (!link || link.target !== "" || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  const isHere = url.pathname === location.pathname && url.search === location.search;
  if (!isPage(url) || (isHere && url.hash !== "")) return;
  event.preventDefault();
  navigate(url.href);
}

function onPopState(event: PopStateEvent): void {
  const { pathname } = location;
  if (!PAGE.test(pathname)) return location.reload();
  if (INBOX.test(pathname) && INBOX.test(shown)) return;
  if (pathname === shown) return;
  event.stopImmediatePropagation();
  if (mayLeave()) void change(new URL(location.href), "none");
  else history.pushState(null, "", shown);
}

/** Asks as the browser does before a page is left; whoever has unsaved changes objects. */
function mayLeave(): boolean {
  const event = new Event("beforeunload", { cancelable: true });
  return globalThis.dispatchEvent(event) ||
    confirm("Leave this page? Your changes are not saved.");
}

const scroller = () => document.querySelector<HTMLElement>("main.page");

async function change(url: URL, entry: "push" | "none"): Promise<void> {
  underWay?.abort();
  const { signal } = underWay = new AbortController();
  document.documentElement.dataset["loading"] = "";
  if (place !== undefined) remember(place, scroller()?.scrollTop ?? 0);
  try {
    const loaded = await load(url, signal);
    if (signal.aborted) return;
    if (loaded === null) return entry === "push" ? location.assign(url) : location.reload();
    if (entry === "push") history.pushState(null, "", loaded.at);
    else if (loaded.at !== location.href) history.replaceState(history.state, "", loaded.at);
    shown = location.pathname;
    document.title = loaded.title;
    place = placeNow();
    host?.show(loaded);
  } catch {
    if (signal.aborted) return;
    if (entry === "none") return location.reload();
    host?.failed();
  } finally {
    if (!signal.aborted) delete document.documentElement.dataset["loading"];
  }
}

function remember(at: string, top: number): void {
  places.delete(at);
  places.set(at, top);
  if (places.size > MAX_PLACES) places.delete(places.keys().next().value!);
}

/**
 * The page is drawn: it is where it was left, and the focus is on its heading, unless it has taken it
 * itself.
 */
export function arrived(): void {
  const top = place === undefined ? 0 : places.get(place) ?? 0;
  const main = scroller();
  if (main) main.scrollTop = top;
  const { activeElement } = document;
  if (activeElement !== null && activeElement !== document.body) return;
  const heading = document.querySelector<HTMLElement>("main h1") ??
    document.querySelector<HTMLElement>("main");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

const buildOf = (page: Document) =>
  page.querySelector<HTMLMetaElement>('meta[name="parley-build"]')?.content;

/** Null: this is not a page that can be shown here. Throws without a connection. */
async function load(
  url: URL,
  signal: AbortSignal,
): Promise<LoadedPage & { at: string; title: string } | null> {
  const response = await fetch(url, { headers: { accept: "text/html" }, signal });
  const at = new URL(response.url);
  if (!isPage(at) || !response.headers.get("content-type")?.startsWith("text/html")) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (buildOf(page) !== buildOf(document)) return null;
  const found = islandOf(page.querySelector("script[type=module]:not([src])")?.textContent ?? "");
  if (found === null) return null;
  const [module] = await Promise.all([import(found.module), addStyles(page)]);
  const { Page } = module.default as { Page?: PageComponent };
  at.hash = url.hash;
  return Page === undefined ? null : { Page, start: found.start, at: at.href, title: page.title };
}

/** The one island of a page, from the script with which it starts; null: there is another number. */
export function islandOf(script: string): { module: string; start: string } | null {
  const modules = [...script.matchAll(/from "(\/assets\/islands\/[^"]+\.js)"/g)];
  const start = /\bprops:\{start:("(?:[^"\\]+|\\.)*")\}/.exec(script)?.[1];
  if (modules.length !== 1 || start === undefined) return null;
  try {
    return { module: modules[0]![1]!, start: JSON.parse(start) };
  } catch {
    return null;
  }
}

/** Style sheets that only this page has, before it is shown. */
async function addStyles(page: Document): Promise<void> {
  const links = [...page.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")];
  await Promise.all(links.map((link) => {
    const href = link.getAttribute("href")!;
    if (document.querySelector(`link[rel=stylesheet][href="${CSS.escape(href)}"]`)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = document.createElement("link");
    own.rel = "stylesheet";
    own.href = href;
    own.onload = own.onerror = () => resolve();
    document.head.append(own);
    return promise;
  }));
}
