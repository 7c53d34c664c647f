/** The routes of a simple table: list, add, read, change and remove, each record with an ETag. */
import { createRoute, type z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Db } from "../db/database.ts";
import { audit } from "../domain/audit.ts";
import type { AuditAction } from "../protocol/audit.ts";
import { etagOf } from "../protocol/etag.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { body, IdParam, looseResponses, noContent } from "./schemas.ts";
import { IfMatch, requireMatch } from "./etag.ts";

/** `updatedAt` identifies the version of a record. */
interface Versioned {
  id: string;
  updatedAt: string;
}

/** Called with the locked record before it is changed; throws to refuse the change. */
type Check<Item> = (current: Item) => void;

export interface Records<Item extends Versioned, Create, Update extends object, Query, Writer> {
  /** Such as "/api/channels". */
  path: string;
  tag: string;
  /** What one is called in sentences: "channel". */
  one: string;
  /** Sentences of the documentation: of the routes, and of their responses. */
  words: {
    list: string;
    add: string;
    addMore?: string;
    read: string;
    change: string;
    remove: string;
    item: string;
    items: string;
  };
  item: z.ZodType<Item>;
  items: z.ZodType;
  query?: z.ZodObject & z.ZodType<Query>;
  creation: z.ZodType<Create>;
  changes: z.ZodType<Update>;
  /** Which changes are in the audit log, by which actions; absent: none. */
  audit?: {
    db: Db;
    name(item: Item): string;
    created?: AuditAction;
    updated?: AuditAction;
    deleted?: AuditAction;
    /** Which records; default: all. */
    only?(item: Item): boolean;
    /** More data of the entry of a new record (`before` is undefined) or of a change. */
    more?(after: Item, before: Item | undefined): Record<string, unknown>;
  };
  /** Both throw where the caller may not. */
  reader(c: Context<Env>): unknown;
  writer(c: Context<Env>): Writer;
  /** Who may remove; default `writer`. */
  remover?(c: Context<Env>): unknown;
  /** A removal does not compare versions: it has no If-Match. */
  removesAnyVersion?: boolean;
  /** Responds with a body of `items`. */
  list(query: Query, c: Context<Env>): Promise<object>;
  find(id: string, c: Context<Env>): Promise<Item>;
  create(values: Create, writer: Writer): Promise<Item>;
  update(id: string, changes: Update, check: Check<Item>, c: Context<Env>): Promise<Item>;
  remove(id: string, check: Check<Item>, c: Context<Env>): Promise<unknown>;
}

/** A request whose parts were checked with the schemas of these types. */
type Checked<Parts extends object> = Context<Env, string, { out: Parts }>;
type OfOne = { param: { id: string } };

/** The routes as an app, to which more can be added. */
export function recordRoutes<Item extends Versioned, Create, Update extends object, Query, Writer>(
  records: Records<Item, Create, Update, Query, Writer>,
): Api {
  const { path, one, words } = records;
  const tags = [records.tag];
  const app = createApi();

  async function record(
    c: Context<Env>,
    action: AuditAction | undefined,
    item: Item,
    data: Record<string, unknown> = {},
  ): Promise<void> {
    if (records.audit === undefined || action === undefined) return;
    const { db, name, only } = records.audit;
    if (only?.(item) === false) return;
    await audit(db, auditActor(c), { action, subject: { id: item.id, name: name(item) }, data });
  }

  function respond(c: Context<Env>, item: Item, status: 200 | 201 = 200) {
    c.header("etag", etagOf(item));
    return c.json(item, status);
  }

  app.openapi(
    createRoute({
      method: "get",
      path,
      tags,
      summary: words.list,
      request: { query: records.query },
      responses: looseResponses(200, words.items, records.items),
    }),
    async (c: Checked<{ query: Query }>) => {
      records.reader(c);
      return c.json(await records.list(c.req.valid("query"), c), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path,
      tags,
      summary: words.add,
      ...(words.addMore === undefined ? {} : { description: words.addMore }),
      request: body(records.creation),
      responses: looseResponses(201, words.item, records.item),
    }),
    async (c: Checked<{ json: Create }>) => {
      const writer = records.writer(c);
      const item = await records.create(c.req.valid("json"), writer);
      await record(c, records.audit?.created, item, records.audit?.more?.(item, undefined));
      return respond(c, item, 201);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: `${path}/{id}`,
      tags,
      summary: words.read,
      request: { params: IdParam },
      responses: looseResponses(200, words.item, records.item),
    }),
    async (c: Checked<OfOne>) => {
      records.reader(c);
      return respond(c, await records.find(c.req.valid("param").id, c));
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: `${path}/{id}`,
      tags,
      summary: words.change,
      request: { params: IdParam, headers: IfMatch, ...body(records.changes) },
      responses: looseResponses(200, words.item, records.item),
    }),
    async (c: Checked<OfOne & { json: Update }>) => {
      records.writer(c);
      const { id } = c.req.valid("param");
      const changes = c.req.valid("json");
      let before: Item | undefined;
      const item = await records.update(id, changes, (current) => {
        requireMatch(c, one, current);
        before = current;
      }, c);
      const more = records.audit?.more?.(item, before);
      await record(c, records.audit?.updated, item, { changed: Object.keys(changes), ...more });
      return respond(c, item);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: `${path}/{id}`,
      tags,
      summary: words.remove,
      request: {
        params: IdParam,
        headers: records.removesAnyVersion ? undefined : IfMatch,
      },
      responses: noContent,
    }),
    async (c: Checked<OfOne>) => {
      (records.remover ?? records.writer)(c);
      const { id } = c.req.valid("param");
      const item = records.audit?.deleted === undefined ? null : await records.find(id, c);
      await records.remove(id, (current) => requireMatch(c, one, current), c);
      if (item !== null) await record(c, records.audit?.deleted, item);
      return c.body(null, 204);
    },
  );
  return app;
}
