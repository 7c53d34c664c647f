/** Milliseconds in which several moves of a pointer become one command. */
const DEBOUNCE_MS = 250;

/**
 * Tells the server how far somebody has received or read: only forwards, several moves at once, and
 * again after a reconnection where the answer was lost.
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
    send(seq).catch(() => {
      // What was not confirmed is sent with the next move or after the next connection.
      if (sent === seq) sent = before;
    });
  }

  return {
    to(seq: number) {
      if (seq <= wanted) return;
      wanted = seq;
      timer ??= setTimeout(flush, DEBOUNCE_MS);
    },
    flush,
    /** Without a connection nothing can be told; `flush` tells it on the next one. */
    pause() {
      clearTimeout(timer);
      timer = undefined;
    },
    /** Another log begins, whose positions say nothing of the old one's. */
    reset() {
      wanted = sent = 0;
      flush();
    },
  };
}
