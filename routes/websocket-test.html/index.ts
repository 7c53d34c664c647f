import { handler } from "./$index.ts";

/** The address that clients' documents name. */
export const handlers = handler({
  GET: () => new Response(null, { status: 303, headers: { location: "/websocket-test" } }),
});
