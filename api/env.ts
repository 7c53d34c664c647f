/** What the framework's context has in every route. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Caller } from "../domain/principal.ts";
import { invalid } from "../protocol/errors.ts";
import type { Peer } from "../realtime/address.ts";

export interface Env {
  Bindings: { remote: string };
  Variables: { peer: Peer; principal: Caller };
}

export type Api = OpenAPIHono<Env>;

export function createApi(): Api {
  return new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) {
        throw invalid(`the ${TARGETS[result.target] ?? "request"}`, result.error);
      }
    },
  });
}

/** Parts of a request, in the words of an error. */
const TARGETS: Record<string, string> = {
  json: "body",
  query: "query",
  param: "address",
  header: "headers",
};
