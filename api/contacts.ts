/** Contacts: the list, one of them, and what is known about them. All agents read and change them. */
import { createRoute } from "@hono/zod-openapi";
import { findContact } from "../domain/visitors/contacts.ts";
import { groupOf, updateGroup } from "../domain/visitors/groups.ts";
import { listContacts } from "../domain/visitors/list.ts";
import { readProfile } from "../domain/visitors/profile.ts";
import {
  ContactList,
  ContactProfile,
  ContactQuery,
  SeenPageList,
  SeenPageQuery,
} from "../protocol/contacts.ts";
import { Contact } from "../protocol/model.ts";
import { UpdateContactBody } from "../protocol/rest.ts";
import { agentOf } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["contacts"];

export function contactRoutes({ db, bus, renames, pages }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/contacts",
      tags,
      summary: "Contacts, found by words, filtered and sorted; newest first by default",
      request: { query: ContactQuery },
      responses: responses(200, "A page", ContactList),
    }),
    async (c) => {
      agentOf(c);
      const { limit = 50, ...query } = c.req.valid("query");
      return c.json(await listContacts(db, { ...query, limit }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/contacts/{id}",
      tags,
      summary: "One contact",
      request: { params: IdParam },
      responses: responses(200, "The contact", Contact),
    }),
    async (c) => {
      agentOf(c);
      return c.json(await findContact(db, c.req.valid("param").id), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/contacts/{id}",
      tags,
      summary: "Change a contact's name, address or attributes",
      request: { params: IdParam, ...body(UpdateContactBody) },
      responses: responses(200, "The contact", Contact),
    }),
    async (c) => {
      const { userName } = agentOf(c);
      const { id } = c.req.valid("param");
      const changes = c.req.valid("json");
      return c.json(
        await updateGroup(db, bus, id, changes, userName, renames),
        200,
      );
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/contacts/{id}/profile",
      tags,
      summary: "What is known about a contact",
      description: "Attributes with who set them, identities, visits, pages, and conversations " +
        "with each of their parts that was resolved; of lists the newest entries.",
      request: { params: IdParam },
      responses: responses(200, "The profile", ContactProfile),
    }),
    async (c) => {
      agentOf(c);
      return c.json(await readProfile(db, pages, c.req.valid("param").id), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/contacts/{id}/pages",
      tags,
      summary: "The pages that a contact has seen, newest first",
      description: "Stored only for contacts who wrote. Of others the node that answers has the " +
        "last ones in memory.",
      request: { params: IdParam, query: SeenPageQuery },
      responses: responses(200, "A page of the list", SeenPageList),
    }),
    async (c) => {
      agentOf(c);
      const members = await groupOf(db, c.req.valid("param").id);
      const { cursor, limit = 50 } = c.req.valid("query");
      return c.json(await pages.list(members.map(({ id }) => id), { cursor, limit }), 200);
    },
  );
  return app;
}
