import { getLogger } from "@logtape/logtape";
import { problemResponse } from "./problem.ts";

const logger = getLogger(["parley", "http"]);

/**
 * What no name of a host has, nor its port. The runtime makes an address of the header and the
 * target as they come, so with these a part of the header would be the path.
 */
const NO_HOST = /[\s/\\?#@]/;

/**
 * The path of a request, or the refusal of one whose address is none: the runtime takes any Host
 * header and any target, and only reading the address shows that it is not valid.
 */
export function pathOf(request: Request): string | Response {
  try {
    // There is none in HTTP/2, and need not be one in HTTP/1.0.
    if (!NO_HOST.test(request.headers.get("host") ?? "")) return new URL(request.url).pathname;
  } catch {
    // It is refused.
  }
  logger.debug("Refused a request whose address or Host header is not valid", {
    method: request.method,
  });
  return problemResponse({
    code: "bad_request",
    detail: "Cannot read the request: its address or its Host header is not valid",
  });
}
