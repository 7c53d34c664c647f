/** What is done with contacts: merged, blocked, exported. Agents merge and block, admins export. */
import { createRoute, z } from "@hono/zod-openapi";
import { zipOf } from "../domain/files/zip.ts";
import { setBlocked } from "../domain/visitors/blocking.ts";
import { exportContact } from "../domain/visitors/export.ts";
import { mergeContacts, undoMerge } from "../domain/visitors/groups.ts";
import { readProfile } from "../domain/visitors/profile.ts";
import { BlockBody, BlockResponse, ContactProfile, MergeBody } from "../protocol/contacts.ts";
import { Id } from "../protocol/model.ts";
import { adminOf, agentOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, problem, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["contacts"];

export function contactActionRoutes({ db, bus, pages, files }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/contacts/{id}/merges",
      tags,
      summary: "Merge another contact into this one: they are the same person",
      description: "Each keeps its sessions and conversations, so no visitor sees what another " +
        "wrote. The other one takes the name of this one.",
      request: { params: IdParam, ...body(MergeBody) },
      responses: responses(201, "The profile of both", ContactProfile),
    }),
    async (c) => {
      agentOf(c);
      const { id } = c.req.valid("param");
      await mergeContacts(db, bus, auditActor(c), id, c.req.valid("json").contactId);
      return c.json(await readProfile(db, pages, id), 201);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/contacts/{id}/merges/{mergeId}",
      tags,
      summary: "Undo a merge",
      request: { params: z.object({ id: Id, mergeId: Id }) },
      responses: responses(200, "The profile without the other contact", ContactProfile),
    }),
    async (c) => {
      agentOf(c);
      const { id, mergeId } = c.req.valid("param");
      await undoMerge(db, bus, auditActor(c), id, mergeId);
      return c.json(await readProfile(db, pages, id), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/contacts/{id}/block",
      tags,
      summary: "Block a contact, who cannot write any more, or unblock them",
      request: { params: IdParam, ...body(BlockBody) },
      responses: responses(200, "Since when they are blocked", BlockResponse),
    }),
    async (c) => {
      agentOf(c);
      const { id } = c.req.valid("param");
      const at = await setBlocked(db, bus, auditActor(c), id, c.req.valid("json").blocked);
      return c.json({ blockedAt: at?.toISOString() ?? null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/contacts/{id}/export",
      tags,
      summary: "All data of a person as a ZIP archive (admins)",
      description:
        "`person.json` has contacts, identities, sessions, pages, notes, conversations " +
        "and messages; `files/` has what was sent.",
      request: { params: IdParam },
      responses: { 200: { description: "The archive" }, default: problem },
    }),
    async (c) => {
      adminOf(c);
      const { id } = c.req.valid("param");
      const person = await exportContact(db, auditActor(c), id, files.content);
      return c.body(zipOf(person.entries()), 200, {
        "content-type": "application/zip",
        "content-disposition": `attachment; filename="${person.name}"`,
        "cache-control": "no-store",
      });
    },
  );
  return app;
}
