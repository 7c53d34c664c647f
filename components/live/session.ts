import type { User } from "../../protocol/model.ts";
import type { LoginResponse } from "../../protocol/rest.ts";
import { loginPath } from "../lib/safe_next.ts";
import { ApiError, type ApiRequest, callApi } from "./api.ts";

/** Milliseconds before its end at which a token is not used for anything new. */
const SPARE_MS = 45_000;
const LOCK = "parley_refresh";
const CHANNEL = "parley_session";

export type Session = ReturnType<typeof createSession>;

/**
 * The signed-in agent's access token: in memory only, made from the refresh cookie, renewed when
 * somebody asks for it shortly before its end. When the session is over (here, or signed out in
 * another tab), the page goes to /login.
 */
export function createSession() {
  let current: LoginResponse | null = null;
  let renewal: Promise<LoginResponse> | null = null;
  let ended = false;
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
  if (channel) channel.onmessage = (event) => event.data === "signed-out" && void leave();

  async function leave() {
    if (ended) return;
    ended = true;
    // Takes a cookie away that is no good any more; with it /login would lead straight back here.
    await callApi("/api/auth/logout", { method: "POST" }).catch(() => {});
    location.assign(loginPath(location.pathname + location.search));
  }

  const fetchToken = () => callApi<LoginResponse>("/api/auth/refresh", { method: "POST" });

  async function renew(): Promise<LoginResponse> {
    try {
      // The cookie rotates: tabs take turns, so that none presents one that was just replaced.
      current = navigator.locks
        ? await navigator.locks.request(LOCK, fetchToken)
        : await fetchToken();
      return current;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      await leave();
      throw Object.assign(error, { final: true });
    }
  }

  /** An access token with some life left. Throws an ApiError; one with `final: true` when the session is over. */
  async function token(): Promise<string> {
    if (current !== null && Date.parse(current.expiresAt) - Date.now() > SPARE_MS) {
      return current.token;
    }
    renewal ??= renew().finally(() => renewal = null);
    return (await renewal).token;
  }

  /** A call to the API as this agent; a token that the server refuses is renewed once. */
  async function request<T>(path: string, init: Omit<ApiRequest, "token"> = {}): Promise<T> {
    const first = await token();
    try {
      return await callApi<T>(path, { ...init, token: first });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (current?.token === first) current = null;
      return await callApi<T>(path, { ...init, token: await token() });
    }
  }

  /**
   * A new password ends every sign-in of the agent, this one too: it is made anew at once, under the
   * lock, so that no other tab finds the cookie that is no good any more. Throws an ApiError, with
   * code "invalid_credentials" where the current password is wrong.
   */
  async function changePassword(user: User, change: { current: string; next: string }) {
    const mine = await token();
    const run = async () => {
      const body = { password: change.next, currentPassword: change.current };
      await callApi(`/api/users/${user.id}`, { method: "PATCH", token: mine, body });
      const again = { email: user.email, password: change.next };
      current = await callApi<LoginResponse>("/api/auth/login", { method: "POST", body: again })
        .catch(async (error) => {
          // The password is the new one all the same; whoever has it signs in by hand.
          await leave();
          throw error;
        });
    };
    if (navigator.locks) await navigator.locks.request(LOCK, run);
    else await run();
  }

  async function signOut(): Promise<void> {
    await callApi("/api/auth/logout", { method: "POST" });
    ended = true;
    current = null;
    channel?.postMessage("signed-out");
    location.assign("/login");
  }

  /** The next call asks for a new access token: the server may not like this one any more. */
  function forgetToken() {
    current = null;
  }

  return { token, request, forgetToken, changePassword, signOut, close: () => channel?.close() };
}
