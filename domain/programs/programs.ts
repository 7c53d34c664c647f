import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { ProgramPrincipal } from "../principal.ts";
import { KeyedLimiter } from "../rate_limit.ts";
import { authenticateApiKey } from "./api_keys.ts";

export interface Programs {
  /** @throws {ParleyError} `invalid_token`, `token_expired`, `rate_limited`. */
  authenticate(key: string): Promise<ProgramPrincipal>;
}

/** Authenticates programs by their keys, each with a rate of requests on this node. */
export function createPrograms(db: Db, requestsPerMinute: number): Programs {
  const requests = new KeyedLimiter(requestsPerMinute);
  return {
    async authenticate(key) {
      const program = await authenticateApiKey(db, key);
      const retryAfter = requests.take(program.userId);
      if (retryAfter > 0) {
        throw new ParleyError(
          "rate_limited",
          "Cannot answer: too many requests with this API key",
          {
            retryAfter,
            limit: "LIMIT_API_REQUESTS_PER_MINUTE",
          },
        );
      }
      return program;
    },
  };
}
