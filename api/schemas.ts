/** Parts of the routes' descriptions, which are checked and are the OpenAPI document. */
import { z } from "@hono/zod-openapi";
import { Id } from "../protocol/model.ts";
import { Problem } from "../protocol/rest.ts";

export const problem = {
  description: "Problem details (RFC 9457)",
  content: { "application/problem+json": { schema: Problem } },
};

/** The documented responses of a route: a body of JSON, or problem details. */
export function responses<S extends 200 | 201, T extends z.ZodType>(
  status: S,
  description: string,
  schema: T,
) {
  const response = { description, content: { "application/json": { schema } } };
  return { [status]: response, default: problem } as unknown as Record<S, typeof response>;
}

/**
 * The same for a handler whose response TypeScript cannot compare with the schema: one that is
 * generic over its items, or that responds with CSV as well as JSON. It may return any response.
 */
export function looseResponses(
  status: 200 | 201,
  description: string,
  schema: z.ZodType,
): Record<number, { description: string }> {
  return responses(status, description, schema);
}

export const noContent = { 204: { description: "Done" }, default: problem };

export function body<T extends z.ZodType>(schema: T) {
  return { body: { required: true, content: { "application/json": { schema } } } };
}

export const IdParam = z.object({ id: Id });
