/** Milliseconds within which several moves of a pointer become one command. */
const DEBOUNCE_MS = 250;
/** Milliseconds before it is sent again, where the server names no time. */
const AGAIN_MS = 1000;

/**
 * Sends how far somebody has received or read: only forwards, several moves at once, and again
 * after a reconnection where the answer was lost.
 */
export function createPointerSender(send: (seq: number) => Promise<unknown>) {
  let wanted = 0;
  let sent = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush() {
    clearTimeout(timer);
    timer = undefined;
    if (wanted <= sent) return;
    const before = sent;
    const seq = sent = wanted;
    send(seq).catch((error: { code?: unknown; retryAfter?: number } | null) => {
      // An unconfirmed position is sent with the next move or on the next connection.
      if (sent === seq) sent = before;
      // There may be no further move on this connection, and the server asked to repeat it later.
      if (error?.code === "unavailable") timer ??= setTimeout(flush, error.retryAfter ?? AGAIN_MS);
    });
  }

  return {
    to(seq: number) {
      if (seq <= wanted) return;
      wanted = seq;
      timer ??= setTimeout(flush, DEBOUNCE_MS);
    },
    flush,
    /** Without a connection nothing can be sent; `flush` sends it on the next one. */
    pause() {
      clearTimeout(timer);
      timer = undefined;
    },
    /** Another log begins; its positions have nothing to do with those of the old one. */
    reset() {
      wanted = sent = 0;
      flush();
    },
  };
}
