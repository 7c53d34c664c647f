import { getLogger } from "@logtape/logtape";
import { problemResponse } from "./problem.ts";

const logger = getLogger(["parley", "http"]);

/**
 * Characters that neither a host nor a port has. The runtime builds the URL from the Host header and
 * the target, so with them a part of the header would be the path.
 */
const NO_HOST = /[\s/\\?#@]/;

/**
 * The path of a request, or a response that refuses a request without a valid URL: the runtime
 * accepts any Host header and any target, and only parsing shows that the URL is not valid.
 */
export function pathOf(request: Request): string | Response {
  try {
    // HTTP/2 has no Host header, and HTTP/1.0 need not have one.
    if (!NO_HOST.test(request.headers.get("host") ?? "")) return new URL(request.url).pathname;
  } catch {
    // Not a valid URL: refused below.
  }
  logger.debug("Refused a request whose address or Host header is not valid", {
    method: request.method,
  });
  return problemResponse({
    code: "bad_request",
    detail: "Cannot read the request: its address or its Host header is not valid",
  });
}
