import { middleware } from "./$_middleware.ts";
import { dashboard } from "../domain/dashboard.ts";
import type { User } from "../protocol/model.ts";
import { loginPath, safeNext } from "../components/auth/safe_next.ts";

export interface State {
  /** The signed-in agent; null only on pages that need none. */
  user: User | null;
}

/** Pages that need no agent. `/demo` shows what a visitor sees. */
const PUBLIC = ["/login", "/setup", "/demo"];
/** Also open in development: it shows only the conversation that its user opens there. */
const TEST_PAGE = "/websocket-test";

export default middleware(async (ctx) => {
  const { pathname, search } = ctx.url;
  const open = PUBLIC.some((path) => pathname === path || pathname.startsWith(`${path}/`)) ||
    (pathname === TEST_PAGE && dashboard().development);
  if (pathname === "/demo" || pathname.startsWith("/demo/")) return await ctx.next({ user: null });

  if (await dashboard().needsSetup()) {
    return pathname === "/setup" ? await ctx.next({ user: null }) : see("/setup");
  }
  if (pathname === "/setup") return see("/");

  const user = await dashboard().agent(ctx.req);
  if (user !== null && pathname === "/login") {
    return see(safeNext(ctx.url.searchParams.get("next")));
  }
  if (user === null && !open) return see(loginPath(pathname + search));
  const response = await ctx.next({ user });
  // Conversations must not be in shared caches, nor be shown by "back" after signing out.
  response.headers.set("cache-control", "private, no-store");
  return response;
});

function see(path: string): Response {
  return new Response(null, {
    status: 303,
    headers: { location: path, "cache-control": "no-store" },
  });
}
