import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { SignIn } from "../domain/agents/sign_in.ts";
import { invalid, ParleyError } from "../protocol/errors.ts";
import { Id, User } from "../protocol/model.ts";
import { LoginBody, LoginResponse, SetupBody } from "../protocol/rest.ts";
import { SignInList, SignInsEnded } from "../protocol/sign_ins.ts";
import { adminOf, agentOf } from "./authentication.ts";
import {
  auditActor,
  clearRefreshCookie,
  peerOf,
  refreshCookie,
  signedInResponse,
} from "./cookies.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { body, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";
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
      description: "From another machine with the code that the server printed at its start.",
      request: body(SetupBody),
      responses: responses(200, "Signed in as the first admin", LoginResponse),
    }),
    async (c) => {
      const { code, ...admin } = c.req.valid("json");
      const mayWithout = c.get("peer").isLocal;
      const signedIn = await signIn.setUp(admin, peerOf(c), mayWithout ? null : code ?? "");
      return c.json(signedInResponse(c, services, signedIn), 200);
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
      responses: responses(200, "An access token; the refresh cookie is set", LoginResponse),
    }),
    async (c) => {
      const signedIn = await signIn.login(c.req.valid("json"), peerOf(c));
      return c.json(signedInResponse(c, services, signedIn), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/auth/refresh",
      security: [],
      tags: ["auth"],
      summary: "A new access token from the refresh cookie, which is rotated",
      responses: responses(200, "A new access token", LoginResponse),
    }),
    async (c) => {
      const token = refreshCookie(c);
      if (token === undefined) {
        throw new ParleyError("unauthenticated", "Cannot refresh: there is no refresh cookie");
      }
      try {
        const signedIn = await signIn.refresh(token, peerOf(c));
        return c.json(signedInResponse(c, services, signedIn), 200);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "invalid_token") {
          clearRefreshCookie(c);
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
      responses: noContent,
    }),
    async (c) => {
      const token = refreshCookie(c);
      if (token !== undefined) await signIn.logout(token, peerOf(c));
      clearRefreshCookie(c);
      return c.body(null, 204);
    },
  );
  return app;
}

export function authRoutes(services: ApiServices): Api {
  const { db, signIn } = services;
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/auth/me",
      tags: ["auth"],
      summary: "Who the access token belongs to",
      responses: responses(200, "The user", z.object({ user: User })),
    }),
    async (c) => {
      const user = await findUser(db, agentOf(c).userId);
      if (user === null) throw new ParleyError("invalid_token", "Cannot find the token's user");
      return c.json({ user }, 200);
    },
  );
  signInRoutes(app, {
    path: "/api/auth/sign-ins",
    whose: "your own",
    who: (c) => agentOf(c).userId,
    signIn,
  });
  signInRoutes(app, {
    path: "/api/users/{id}/sign-ins",
    whose: "somebody's (admins)",
    who: (c) => {
      adminOf(c);
      const id = Id.safeParse(c.req.param("id"));
      if (!id.success) throw invalid("the address", id.error);
      return id.data;
    },
    signIn,
  });
  return app;
}

/** The list of sign-ins, and the end of one, or of all but the current one. */
function signInRoutes(app: Api, { path, whose, who, signIn }: {
  path: string;
  whose: string;
  who(c: Context<Env>): string;
  signIn: SignIn;
}): void {
  const user = path.includes("{id}") ? { id: Id } : {};
  app.openapi(
    createRoute({
      method: "get",
      path,
      tags: ["auth"],
      summary: `Active sign-ins, ${whose}, the last used first`,
      request: { params: z.object(user) },
      responses: responses(200, "Sign-ins", SignInList),
    }),
    async (c) => {
      const items = await signIn.list(who(c), agentOf(c).signInId);
      return c.json({ items, nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path,
      tags: ["auth"],
      summary: `End all sign-ins, ${whose}, except the one of this request`,
      request: { params: z.object(user) },
      responses: responses(200, "How many were ended", SignInsEnded),
    }),
    async (c) => {
      const except = agentOf(c).signInId;
      return c.json({ ended: await signIn.end(auditActor(c), who(c), { except }) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: `${path}/{signInId}`,
      tags: ["auth"],
      summary: `End one sign-in, ${whose}; its connections are closed with 3503`,
      request: { params: z.object({ ...user, signInId: Id }) },
      responses: noContent,
    }),
    async (c) => {
      const id = c.req.valid("param").signInId as string;
      await signIn.end(auditActor(c), who(c), { id });
      return c.body(null, 204);
    },
  );
}
