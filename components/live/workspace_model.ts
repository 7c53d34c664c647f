import { effect, signal } from "@preact/signals";
import type { AgentPreferences } from "../../protocol/agent_preferences.ts";
import type { User } from "../../protocol/model.ts";
import { ParleyClient } from "../../client/client.ts";
import { type Theme, THEME_COOKIE, writeCookie, ZONE_COOKIE } from "../storage/preferences.ts";
import type { Clock } from "../format/time.ts";
import { ApiError, type ApiRequest, errorText } from "./api.ts";
import { createConnectionModel } from "./connection_model.ts";
import { createNotificationsModel } from "./notifications_model.ts";
import { createPresence } from "./presence_model.ts";
import { createAgentAuth } from "./agent_auth.ts";
import { keepFocus } from "./keep_focus.ts";
import { browserStorage } from "../storage/browser_storage.ts";
import { noteServerTime, onServerTime, serverNow } from "./server_time.ts";
import { switchSingleKeys } from "../shell/keys.ts";
import { createToasts } from "./toasts.ts";

/** What the server renders every page of a signed-in agent with. */
export interface WorkspaceStart {
  user: User;
  clock: Clock;
  theme: Theme;
  /** Messages that the agent has not read, over all conversations. */
  unread: number;
  preferences: AgentPreferences;
  /** Notifications that the agent has not read. */
  unreadNotifications: number;
}

const CLOCK_MS = 20_000;
const STATUS_KEY = "parley.status";

export type WorkspaceModel = ReturnType<typeof makeWorkspace>;

/** Milliseconds for which the connection outlives its page: the next one takes it over. */
const KEPT_MS = 3_000;

/** The workspace of this document, which its pages share; null on the server. */
let shared: WorkspaceModel | null = null;

/**
 * What every page of a signed-in agent has: authentication, one connection, presence, the clock,
 * the theme and the toasts. In the browser all pages of an agent have the same, also when they change
 * without a full load.
 */
export function createWorkspace(start: WorkspaceStart): WorkspaceModel {
  if (typeof document === "undefined") return makeWorkspace(start);
  if (shared === null || shared.user.id !== start.user.id) shared = makeWorkspace(start);
  else shared.enter(start);
  return shared;
}

/** The next page could not be loaded. */
export function navigationFailed(): void {
  shared?.fail(new ApiError(0, { detail: "The page did not load. Check your connection." }));
}

/** Made in the same way on the server and in the browser; `begin` starts it there. */
function makeWorkspace(start: WorkspaceStart) {
  const me = signal(start.user);
  const clock = signal(start.clock);
  const theme = signal(start.theme);
  const preferences = signal(start.preferences);
  const ownStatus = signal<"online" | "away">("online");
  const announcement = signal("");
  const helpOpen = signal(false);
  const paletteOpen = signal(false);
  const live = signal(false);

  // Created in `begin`: the server has neither a sign-in nor a socket.
  let auth: ReturnType<typeof createAgentAuth> | null = null;
  let client: ParleyClient | null = null;

  const toasts = createToasts();
  const presence = createPresence();
  const connection = createConnectionModel();
  const fail = (error: unknown) => void toasts.show({ tone: "bad", text: errorText(error) });

  const notifications = createNotificationsModel({
    unread: start.unreadNotifications,
    request,
    announce: (text) => void (announcement.value = text),
    fail,
  });

  function setTheme(next: Theme) {
    theme.value = next;
    document.documentElement.dataset.theme = next;
    writeCookie(THEME_COOKIE, next);
  }

  function setOwnStatus(next: "online" | "away") {
    ownStatus.value = next;
    browserStorage().setItem(STATUS_KEY, next);
    client?.request("presence", { status: next }).catch(fail);
  }

  function followClock(): () => void {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone !== start.clock.zone) writeCookie(ZONE_COOKIE, zone);
    const tick = () => clock.value = { now: serverNow(), zone, locale: start.clock.locale };
    const timer = setInterval(tick, CLOCK_MS);
    document.addEventListener("visibilitychange", tick);
    const unlisten = onServerTime(tick);
    tick();
    return () => {
      unlisten();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }

  function listen(own: ParleyClient): (() => void)[] {
    return [
      own.on("state", (state) => {
        connection.set(state);
        // The sign-in may have been ended elsewhere; then the page goes to /login.
        if (state === "failed") {
          auth?.forgetToken();
          auth?.token().catch(() => {});
        }
      }),
      own.on("event", ({ timestamp }) => noteServerTime(timestamp)),
      own.on("identity", (identity) => {
        presence.reset(identity.presence);
        if (ownStatus.value === "away") {
          own.request("presence", { status: "away" }).catch(() => {});
        }
      }),
      own.on("presence", presence.receive),
    ];
  }

  /** Ends authentication, connection and what listens to them; null before the first page. */
  let stop: (() => void) | null = null;
  let pages = 0;
  let idle: ReturnType<typeof setTimeout> | undefined;

  function run(): () => void {
    const mine = auth = createAgentAuth();
    const storage = browserStorage();
    const own = client = new ParleyClient({
      url: location.origin,
      credentials: async () => ({ token: await mine.token() }),
      storage,
      storageKey: `parley.outbox.${start.user.id}`,
    });
    if (storage.getItem(STATUS_KEY) === "away") ownStatus.value = "away";
    const ends = [
      ...listen(own),
      ...notifications.listen(own),
      followClock(),
      keepFocus(),
      effect(() => switchSingleKeys(preferences.value.singleKeys)),
    ];
    return () => {
      for (const end of ends) end();
      own.close();
      mine.close();
    };
  }

  /**
   * A page begins. `attach` is called before the connection opens, or with the one that the page
   * before had; it returns functions to call when the page ends, as does the function that is
   * returned.
   */
  function begin(attach: (client: ParleyClient) => (() => void)[]): () => void {
    clearTimeout(idle);
    pages++;
    const isFirst = stop === null;
    stop ??= run();
    const ends = attach(client!);
    if (isFirst) {
      client!.connect().catch(() => {
        // The state "failed" shows what can be done.
      });
    }
    live.value = true;
    return () => {
      for (const end of ends) end();
      if (--pages > 0) return;
      idle = setTimeout(() => {
        stop?.();
        stop = null;
      }, KEPT_MS);
    };
  }

  /** Another page of the same agent is about to begin. */
  function enter(next: WorkspaceStart): void {
    me.value = next.user;
    helpOpen.value = false;
    paletteOpen.value = false;
    announcement.value = "";
    notifications.attachTo(null);
  }

  /** Calls the API as this agent, between `begin` and its end. Throws an ApiError. */
  function request<T>(path: string, init: Omit<ApiRequest, "token"> = {}): Promise<T> {
    return auth!.request<T>(path, init);
  }

  /** Shows at once, and is undone when the server refuses. */
  async function setPreferences(changes: Partial<AgentPreferences>): Promise<void> {
    const before = preferences.value;
    preferences.value = { ...before, ...changes };
    try {
      preferences.value = await request("/api/preferences", { method: "PATCH", body: changes });
    } catch (error) {
      preferences.value = before;
      fail(error);
    }
  }

  /** Ends every other sign-in of this agent, but not this one. Throws an ApiError. */
  async function changePassword(change: { current: string; next: string }): Promise<void> {
    // The server closes connections together with sign-ins, which must not show as an error here.
    client?.close();
    try {
      await auth!.changePassword(start.user, change);
    } finally {
      client?.reconnectNow();
    }
  }

  /** Reconnects with a new token. An agent whose sign-in has ended goes to /login. */
  function retryConnection() {
    if (connection.state.value === "failed") auth?.forgetToken();
    client?.reconnectNow();
  }

  return {
    /** The agent as of the rendering of the page; `me` includes later changes. */
    user: start.user,
    me,
    clock,
    theme,
    setTheme,
    preferences,
    setPreferences,
    presence,
    connection,
    notifications,
    toasts,
    announcement,
    helpOpen,
    paletteOpen,
    /** False on the server and until `begin`. */
    live,
    ownStatus,
    setOwnStatus,
    request,
    /** An access token of this agent, between `begin` and its end. Throws an ApiError. */
    token: () => auth!.token(),
    changePassword,
    /** Shows an error that belongs to no form. */
    fail,
    /** Null on the server and until `begin`. */
    client: () => client,
    retryConnection,
    signOut: () => auth?.signOut().catch(fail),
    begin,
    enter,
  };
}
