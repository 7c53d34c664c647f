import { createRoute, z } from "@hono/zod-openapi";
import { BYTE_ORDER_MARK, csvLine } from "../domain/analytics/csv.ts";
import { audit, listAudit } from "../domain/audit.ts";
import { type AuditEntry, type AuditFilter, AuditList, AuditQuery } from "../protocol/audit.ts";
import { adminOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { looseResponses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** Entries that are read at once for the export. */
const CSV_PAGE = 500;
const COLUMNS = [
  "time (UTC)",
  "actor kind",
  "actor id",
  "actor",
  "action",
  "subject id",
  "subject",
  "result",
  "address",
  "user agent",
  "details",
];

/** The audit log, for admins. */
export function auditRoutes({ db }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/audit",
      tags: ["audit"],
      summary: "The audit log, newest first; format=csv for all of it as a table (admins)",
      request: {
        query: AuditQuery.extend({ format: z.enum(["json", "csv"]).default("json") }),
      },
      responses: looseResponses(200, "A page", AuditList),
    }),
    async (c) => {
      adminOf(c);
      const { format, cursor, limit = 50, ...filter } = c.req.valid("query");
      if (format === "json") return c.json(await listAudit(db, { ...filter, cursor, limit }), 200);
      await audit(db, auditActor(c), { action: "audit.exported", data: filter });
      c.header("content-type", "text/csv; charset=utf-8");
      c.header("content-disposition", 'attachment; filename="audit.csv"');
      return c.body(csvOf((next) => listAudit(db, { ...filter, ...next, limit: CSV_PAGE })));
    },
  );
  return app;
}

type Read = (next: Pick<AuditFilter, never> & { cursor?: string }) => Promise<AuditList>;

/** Reads page by page, so that a long log takes no memory. */
function csvOf(read: Read): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let cursor: string | null | undefined;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(BYTE_ORDER_MARK + csvLine(COLUMNS)));
    },
    async pull(controller) {
      if (cursor === null) return controller.close();
      const { items, nextCursor } = await read(cursor === undefined ? {} : { cursor });
      cursor = nextCursor;
      controller.enqueue(encoder.encode(items.map(lineOf).join("")));
      if (nextCursor === null) controller.close();
    },
  });
}

function lineOf({ at, actor, action, subject, result, address, userAgent, data }: AuditEntry) {
  return csvLine([
    at,
    actor.kind,
    actor.id,
    actor.name,
    action,
    subject.id,
    subject.name,
    result,
    address,
    userAgent,
    JSON.stringify(data),
  ]);
}
