import { audit } from "../domain/audit.ts";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { breakdownCsv, toCsv } from "../domain/analytics/csv.ts";
import {
  checkFollowed,
  checkMetric,
  describe,
  isFamily,
  metricsFor,
  type Viewer,
} from "../domain/analytics/registry.ts";
import { listRatings, ratingsCsv } from "../domain/analytics/rating_list.ts";
import { rate } from "../domain/analytics/ratings.ts";
import {
  AnalyticsQuery,
  AnalyticsResponse,
  Breakdown,
  BreakdownQuery,
  BusinessHoursBody,
  DrillDown,
  DrillDownQuery,
  HeatMapQuery,
  HeatMapResponse,
  type MetricDimension,
  RatingBody,
  RatingList,
  RatingQuery,
  RatingResponse,
  SeriesQuery,
  SeriesResponse,
} from "../protocol/analytics.ts";
import { ParleyError } from "../protocol/errors.ts";
import { adminOf, agentOf, personOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { body, IdParam, looseResponses, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const TAGS = ["analytics"];

/** Figures of the workspace for agents, and the ratings that visitors give. */
export function analyticsRoutes(services: ApiServices): Api {
  const { analytics, conversations, realtime, db } = services;
  const app = createApi();
  const viewerOf = (c: Context<Env>): Viewer => agentOf(c).role;

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/analytics",
      tags: TAGS,
      summary: "The metrics and their current values; ?metrics= names some of them, or families",
      request: { query: AnalyticsQuery },
      responses: responses(200, "Metrics and values", AnalyticsResponse),
    }),
    async (c) => {
      const viewer = viewerOf(c);
      const asked = c.req.valid("query").metrics?.split(",").map((name) => name.trim());
      const names = asked === undefined ? metricsFor(viewer) : [
        ...new Set(
          checkFollowed(asked, viewer).flatMap((name) =>
            isFamily(name) ? metricsFor(viewer, name) : [name]
          ),
        ),
      ];
      const live = await analytics.live(names, () => realtime.gauges());
      const byChannel = [...live].flatMap(([name, value]) =>
        value.byChannel === undefined ? [] : [[name, value.byChannel] as const]
      );
      return c.json({
        timestamp: new Date().toISOString(),
        metrics: names.map(describe),
        values: Object.fromEntries([...live].map(([name, { value }]) => [name, value])),
        byChannel: Object.fromEntries(byChannel),
      }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/analytics/series",
      tags: TAGS,
      summary: "One metric over time, by the calendar of a time zone; format=csv for a table",
      request: { query: SeriesQuery },
      responses: looseResponses(200, "Its values", SeriesResponse),
    }),
    async (c) => {
      const { metric: asked, format, ...query } = c.req.valid("query");
      const viewer = viewerOf(c);
      const metric = checkMetric(asked, viewer);
      checkDimension(viewer, query.by);
      const series = await analytics.series(metric, query);
      if (format === "json") return c.json(series, 200);
      await audit(db, auditActor(c), {
        action: "analytics.exported",
        subject: { id: metric },
        data: { from: query.from, to: query.to },
      });
      c.header("content-type", "text/csv; charset=utf-8");
      c.header("content-disposition", `attachment; filename="${metric}.csv"`);
      return c.body(toCsv(series));
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/analytics/breakdown",
      tags: TAGS,
      summary: "A table by agent (admins), team, channel or label; format=csv for a file",
      request: { query: BreakdownQuery },
      responses: looseResponses(200, "Its rows, the most resolved first", Breakdown),
    }),
    async (c) => {
      const { format, ...query } = c.req.valid("query");
      checkDimension(viewerOf(c), query.by);
      const breakdown = await analytics.breakdown(query);
      if (format === "json") return c.json(breakdown, 200);
      await audit(db, auditActor(c), {
        action: "analytics.exported",
        subject: { id: `by ${query.by}` },
        data: { from: query.from, to: query.to },
      });
      c.header("content-type", "text/csv; charset=utf-8");
      c.header("content-disposition", `attachment; filename="by-${query.by}.csv"`);
      return c.body(breakdownCsv(breakdown));
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/analytics/heatmap",
      tags: TAGS,
      summary: "One metric by the hour of the week, as clocks of a time zone show it",
      request: { query: HeatMapQuery },
      responses: responses(200, "Seven days of 24 hours", HeatMapResponse),
    }),
    async (c) => {
      const { metric, ...query } = c.req.valid("query");
      return c.json(await analytics.heatMap(checkMetric(metric, viewerOf(c)), query), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/analytics/conversations",
      tags: TAGS,
      summary: "The conversations of a figure, those with the largest values first",
      request: { query: DrillDownQuery },
      responses: responses(200, "Conversations", DrillDown),
    }),
    async (c) => {
      const { metric, ...query } = c.req.valid("query");
      const viewer = viewerOf(c);
      checkDimension(viewer, query.by);
      return c.json(await analytics.drillDown(checkMetric(metric, viewer), query), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/analytics/business-hours",
      tags: TAGS,
      summary: "When agents are available; null: always",
      responses: responses(200, "The hours", BusinessHoursBody),
    }),
    async (c) => {
      agentOf(c);
      return c.json({ businessHours: await analytics.businessHours() }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/analytics/business-hours",
      tags: TAGS,
      summary: "Sets the business hours, for what is counted from now on; admins only",
      request: body(BusinessHoursBody),
      responses: responses(200, "The hours", BusinessHoursBody),
    }),
    async (c) => {
      adminOf(c);
      const { businessHours } = c.req.valid("json");
      await analytics.setBusinessHours(businessHours);
      await audit(db, auditActor(c), { action: "business_hours.changed" });
      return c.json({ businessHours }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/{id}/rating",
      tags: TAGS,
      summary: "A visitor's rating of their resolved conversation; repeat it to change it",
      request: { params: z.object(IdParam.shape), ...body(RatingBody) },
      responses: responses(200, "The rating", RatingResponse),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { before, ...rated } = await rate(db, personOf(c), id, c.req.valid("json"));
      await conversations.rated(personOf(c), id, { ...rated, before });
      return c.json(rated, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/ratings",
      tags: TAGS,
      summary: "The ratings of visitors, newest first; format=csv for a table (agents)",
      request: { query: RatingQuery },
      responses: looseResponses(200, "A page", RatingList),
    }),
    async (c) => {
      const withAgents = agentOf(c).role === "admin";
      const { format, timeZone, ...query } = c.req.valid("query");
      if (format === "json") return c.json(await listRatings(db, query, withAgents), 200);
      await audit(db, auditActor(c), {
        action: "analytics.exported",
        subject: { id: "ratings" },
        data: { from: query.from, to: query.to },
      });
      c.header("content-type", "text/csv; charset=utf-8");
      c.header("content-disposition", 'attachment; filename="ratings.csv"');
      return c.body(await ratingsCsv(db, { ...query, timeZone }, withAgents));
    },
  );
  return app;
}

/** Figures of single agents are for admins. */
function checkDimension(viewer: Viewer, by: MetricDimension | undefined): void {
  if (by !== "agent" || viewer === "admin") return;
  throw new ParleyError("forbidden", "Cannot show figures by agent: only admins may see them");
}
