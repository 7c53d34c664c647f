/** Why a body was not read to its end. */
export type BodyFailure = "too_large" | "interrupted";

/**
 * Reads a request's body as text, and never more than `maxBytes` of it. Ends with "interrupted"
 * when the peer disconnects before the end, or `signal` is aborted.
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ text: string } | { failure: BodyFailure }> {
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > maxBytes) return { failure: "too_large" };
  if (request.body === null) return { text: "" };
  const reader = request.body.getReader();
  const decoder = new TextDecoder();
  // The response is sent without waiting for the end of the body.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  let text = "";
  let bytes = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (signal.aborted) return { failure: "interrupted" };
      if (done) return { text: text + decoder.decode() };
      bytes += value.byteLength;
      if (bytes > maxBytes) {
        cancel();
        return { failure: "too_large" };
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return { failure: "interrupted" };
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
