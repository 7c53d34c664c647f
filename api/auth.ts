import { createRoute, z } from "@hono/zod-openapi";
import { ParleyError } from "../protocol/errors.ts";
import { User } from "../protocol/model.ts";
import { LoginAnswer, LoginBody, SetupBody } from "../protocol/rest.ts";
import {
  agentOf,
  answers,
  type Api,
  type ApiServices,
  body,
  clearRefreshCookie,
  createApi,
  nothing,
  peerOf,
  refreshCookie,
  signedInAnswer,
} from "./context.ts";
import { findUser } from "../domain/agents/users.ts";

/** Routes that give out credentials: mounted before authentication. */
export function publicAuthRoutes(services: ApiServices): Api {
  const { signIn } = services;
  const app = createApi();

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/setup",
      security: [],
      tags: ["auth"],
      summary: "Make the first admin, once",
      request: body(SetupBody),
      responses: answers(200, "Signed in as the first admin", LoginAnswer),
    }),
    async (c) => {
      const signedIn = await signIn.setUp(c.req.valid("json"), peerOf(c));
      return c.json(signedInAnswer(c, services, signedIn), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/auth/login",
      security: [],
      tags: ["auth"],
      summary: "Sign in",
      request: body(LoginBody),
      responses: answers(200, "An access token; the refresh cookie is set", LoginAnswer),
    }),
    async (c) => {
      const signedIn = await signIn.login(c.req.valid("json"), peerOf(c));
      return c.json(signedInAnswer(c, services, signedIn), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/auth/refresh",
      security: [],
      tags: ["auth"],
      summary: "A new access token from the refresh cookie, which is rotated",
      responses: answers(200, "A new access token", LoginAnswer),
    }),
    async (c) => {
      const token = refreshCookie(c);
      if (token === undefined) {
        throw new ParleyError("unauthenticated", "Cannot refresh: there is no refresh cookie");
      }
      try {
        const signedIn = await signIn.refresh(token, peerOf(c));
        return c.json(signedInAnswer(c, services, signedIn), 200);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "invalid_token") {
          clearRefreshCookie(c, services);
        }
        throw error;
      }
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/auth/logout",
      security: [],
      tags: ["auth"],
      summary: "Sign out here",
      responses: nothing,
    }),
    async (c) => {
      const token = refreshCookie(c);
      if (token !== undefined) await signIn.logout(token);
      clearRefreshCookie(c, services);
      return c.body(null, 204);
    },
  );
  return app;
}

export function authRoutes({ db }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/auth/me",
      tags: ["auth"],
      summary: "Who the access token belongs to",
      responses: answers(200, "The user", z.object({ user: User })),
    }),
    async (c) => {
      const user = await findUser(db, agentOf(c).userId);
      if (user === null) throw new ParleyError("invalid_token", "Cannot find the token's user");
      return c.json({ user }, 200);
    },
  );
  return app;
}
