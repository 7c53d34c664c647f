import { handler } from "./$index.ts";

/** The settings begin with one's own. */
export const handlers = handler({
  GET: () => new Response(null, { status: 303, headers: { location: "/settings/profile" } }),
});
