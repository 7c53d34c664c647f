import { getLogger } from "@logtape/logtape";
import { problemResponse } from "./problem.ts";

const logger = getLogger(["parley", "http"]);

/**
 * The path of a request, or the refusal of one whose address is none: the runtime takes any Host
 * header and any target, and only reading the address shows that it is not valid.
 */
export function pathOf(request: Request): string | Response {
  try {
    return new URL(request.url).pathname;
  } catch {
    logger.debug("Refused a request whose address or Host header is not valid", {
      method: request.method,
    });
    return problemResponse({
      code: "bad_request",
      detail: "Cannot read the request: its address or its Host header is not valid",
    });
  }
}
