import { signal } from "@preact/signals";
import type { User } from "../../protocol/model.ts";
import { ParleyClient } from "../../client/mod.ts";
import { type Theme, THEME_COOKIE, writeCookie, ZONE_COOKIE } from "../lib/preferences.ts";
import type { Clock } from "../lib/time.ts";
import { type ApiRequest, errorText } from "./api.ts";
import { createConnectionModel } from "./connection_model.ts";
import { createNotificationsModel } from "./notifications_model.ts";
import { createPresence } from "./presence_model.ts";
import { createSession } from "./session.ts";
import { browserStorage } from "./storage.ts";
import { createToasts } from "./toasts.ts";

/** What the server knows of the one who asks, on every page of the workspace. */
export interface WorkspaceStart {
  user: User;
  clock: Clock;
  theme: Theme;
  /** Notifications that they have not read. */
  unreadNotifications: number;
}

const CLOCK_MS = 20_000;
const STATUS_KEY = "parley.status";

export type WorkspaceModel = ReturnType<typeof createWorkspace>;

/**
 * What every page of a signed-in agent has: the session, one connection, presence, the clock, the
 * theme and the notices. Made the same way on the server and in the browser; `begin` brings it
 * alive and returns what ends it.
 */
export function createWorkspace(start: WorkspaceStart) {
  const me = signal(start.user);
  const clock = signal(start.clock);
  const theme = signal(start.theme);
  const ownStatus = signal<"online" | "away">("online");
  const announcement = signal("");
  const helpOpen = signal(false);
  const live = signal(false);

  // Made in `begin`: the server has neither a session nor a socket.
  let session: ReturnType<typeof createSession> | null = null;
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
    const tick = () => clock.value = { now: Date.now(), zone, locale: start.clock.locale };
    const timer = setInterval(tick, CLOCK_MS);
    document.addEventListener("visibilitychange", tick);
    tick();
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }

  function listen(own: ParleyClient): (() => void)[] {
    return [
      own.on("state", (state) => {
        connection.set(state);
        // Perhaps the sign-in was ended from elsewhere: then this page is over.
        if (state === "failed") {
          session?.forgetToken();
          session?.token().catch(() => {});
        }
      }),
      own.on("identity", (identity) => {
        presence.reset(identity.presence);
        if (ownStatus.value === "away") {
          own.request("presence", { status: "away" }).catch(() => {});
        }
      }),
      own.on("presence", presence.receive),
    ];
  }

  /** `attach` is called before the connection opens and returns what has to end with the page. */
  function begin(attach: (client: ParleyClient) => (() => void)[]): () => void {
    const mine = session = createSession();
    const storage = browserStorage();
    const own = client = new ParleyClient({
      url: location.origin,
      credentials: async () => ({ token: await mine.token() }),
      storage,
      storageKey: `parley.outbox.${start.user.id}`,
    });
    if (storage.getItem(STATUS_KEY) === "away") ownStatus.value = "away";
    const ends = [...listen(own), ...notifications.listen(own), followClock(), ...attach(own)];
    own.connect().catch(() => {
      // The state says it: "failed" shows what can be done.
    });
    live.value = true;
    return () => {
      for (const end of ends) end();
      own.close();
      mine.close();
    };
  }

  /** A call to the API as this agent; only while the page is alive. Throws an ApiError. */
  function request<T>(path: string, init: Omit<ApiRequest, "token"> = {}): Promise<T> {
    return session!.request<T>(path, init);
  }

  /** Throws an ApiError; every other sign-in of this agent ends, this one goes on. */
  async function changePassword(change: { current: string; next: string }): Promise<void> {
    // The server ends connections together with sign-ins; that is no news to anybody here.
    client?.close();
    try {
      await session!.changePassword(start.user, change);
    } finally {
      client?.reconnectNow();
    }
  }

  /** After the server ended the connection, with a new token; whose sign-in is over goes to /login. */
  function retryConnection() {
    if (connection.state.value === "failed") session?.forgetToken();
    client?.reconnectNow();
  }

  return {
    /** The agent as the page was drawn for them; `me` follows what they change. */
    user: start.user,
    me,
    clock,
    theme,
    setTheme,
    presence,
    connection,
    notifications,
    toasts,
    announcement,
    helpOpen,
    /** False on the server and until the page is alive. */
    live,
    ownStatus,
    setOwnStatus,
    request,
    /** An access token of this agent; only while the page is alive. Throws an ApiError. */
    token: () => session!.token(),
    changePassword,
    /** Tells of an error that no form can show. */
    fail,
    /** Null on the server and until the page is alive. */
    client: () => client,
    retryConnection,
    signOut: () => session?.signOut().catch(fail),
    begin,
  };
}
