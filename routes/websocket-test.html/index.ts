import { handler } from "./$index.ts";

/** The address in the documents of existing clients. */
export const handlers = handler({
  GET: () => new Response(null, { status: 303, headers: { location: "/websocket-test" } }),
});
