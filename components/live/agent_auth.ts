import type { User } from "../../protocol/model.ts";
import type { LoginResponse } from "../../protocol/rest.ts";
import { loginPath } from "../auth/safe_next.ts";
import { forgetDrafts } from "../storage/drafts.ts";
import { ApiError, type ApiRequest, callApi } from "./api.ts";
import { serverNow } from "./server_time.ts";

/** Milliseconds before it expires in which a token is not used any more. */
const SPARE_MS = 45_000;
const LOCK = "parley_refresh";
const CHANNEL = "parley_session";

export type AgentAuth = ReturnType<typeof createAgentAuth>;

/**
 * The signed-in agent's access token: kept in memory only, obtained with the refresh cookie, and
 * renewed when it is used shortly before it expires. When the sign-in has ended (here or in another
 * tab), the page goes to /login.
 */
export function createAgentAuth() {
  let current: LoginResponse | null = null;
  let renewal: Promise<LoginResponse> | null = null;
  let ended = false;
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
  if (channel) {
    channel.onmessage = (event) => {
      if (event.data !== "signed-out") return;
      forgetDrafts();
      void leave();
    };
  }

  async function leave() {
    if (ended) return;
    ended = true;
    // Removes the invalid cookie; with it, /login would redirect back to this page.
    await callApi("/api/auth/logout", { method: "POST" }).catch(() => {});
    location.assign(loginPath(location.pathname + location.search));
  }

  const fetchToken = () => callApi<LoginResponse>("/api/auth/refresh", { method: "POST" });

  async function renew(): Promise<LoginResponse> {
    try {
      // The cookie rotates: tabs take turns, so that none sends a cookie that was just replaced.
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

  /**
   * A token that is still valid for a while. Throws an ApiError; with `final: true` if signed out.
   */
  async function token(): Promise<string> {
    if (current !== null && Date.parse(current.expiresAt) - serverNow() > SPARE_MS) {
      return current.token;
    }
    renewal ??= renew().finally(() => renewal = null);
    return (await renewal).token;
  }

  /** Calls the API as this agent. A token that the server refuses is renewed once. */
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
   * A new password ends every sign-in of the agent, including this one, so it signs in again at
   * once, under the lock: no other tab may use the old cookie. Throws an ApiError, with code
   * "invalid_credentials" where the current password is wrong.
   */
  async function changePassword(user: User, change: { current: string; next: string }) {
    const mine = await token();
    const run = async () => {
      const body = { password: change.next, currentPassword: change.current };
      await callApi(`/api/users/${user.id}`, { method: "PATCH", token: mine, body });
      const again = { email: user.email, password: change.next };
      current = await callApi<LoginResponse>("/api/auth/login", { method: "POST", body: again })
        .catch(async (error) => {
          // The password is changed anyway; the agent has to sign in by hand.
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
    forgetDrafts();
    location.assign("/login");
  }

  /** The next call obtains a new access token, because the server may refuse this one. */
  function forgetToken() {
    current = null;
  }

  return { token, request, forgetToken, changePassword, signOut, close: () => channel?.close() };
}
