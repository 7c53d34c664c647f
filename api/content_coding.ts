/** Content codings (RFC 9110, 8.4): which one a request accepts, and conditional requests for it. */

export type Coding = "br" | "gzip";

/** The order of preference where a client accepts several equally: the smallest first. */
const CODINGS: readonly Coding[] = ["br", "gzip"];

/** The coding of `offered` that the client prefers; null: none, or identity. */
export function acceptedCoding(
  request: Request,
  offered: readonly Coding[] = CODINGS,
): Coding | null {
  const header = request.headers.get("accept-encoding");
  if (header === null) return null;
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((word) => word.trim());
    const q = parameters.find((one) => one.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    weights.set(name === "x-gzip" ? "gzip" : name, Number.isFinite(weight) ? weight : 0);
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get("*") ?? 0;
  let best: Coding | null = null;
  for (const coding of CODINGS) {
    if (!offered.includes(coding) || weightOf(coding) <= 0) continue;
    if (best === null || weightOf(coding) > weightOf(best)) best = coding;
  }
  // Identity is acceptable unless it is excluded; it wins only where it is named and preferred.
  const identity = weights.get("identity") ?? 0;
  return best !== null && identity > weightOf(best) ? null : best;
}

/** The tags of an If-Match or If-None-Match header, without the mark of weak ones. */
export function tagsOf(header: string): string[] {
  return header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
}

/** Whether the client has this version already. @param etag strong */
export function isKnown(request: Request, etag: string): boolean {
  const tags = tagsOf(request.headers.get("if-none-match") ?? "");
  return tags.includes(etag) || tags.includes("*");
}

/** Adds a name to Vary. */
export function addVary(headers: Headers, name: string): void {
  const present = (headers.get("vary") ?? "").toLowerCase().split(",").map((one) => one.trim());
  if (!present.includes(name.toLowerCase()) && !present.includes("*")) headers.append("vary", name);
}
