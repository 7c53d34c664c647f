import { createServer } from "node:net";
import { FIRST_SEQ, makeEvent } from "./event.mjs";

/**
 * The generator's control port of a Node server: on a TCP port "b" triggers a burst of 32 events
 * and "m" one event. Bursts that arrive together are sent in separate turns.
 */
export function control(port, broadcast) {
  let seq = FIRST_SEQ;
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      for (const byte of bytes) {
        setImmediate(() => {
          const count = byte === 98 ? 32 : 1;
          for (let i = 0; i < count; i++) broadcast(makeEvent(seq++));
        });
      }
    });
  });
  server.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ port, control: server.address().port }));
  });
}
