import { handler } from "./$index.ts";

/** The first page of the settings is the agent's own profile. */
export const handlers = handler({
  GET: () => new Response(null, { status: 303, headers: { location: "/settings/profile" } }),
});
