import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { startServer } from "../support/server.ts";
import { within } from "../support/deadline.ts";

Deno.test("whoever is refused while the transport changes is told why", async () => {
  const server = await startServer("pglite");
  try {
    // The client begins with polling and changes to a websocket within some milliseconds.
    const refused = async (i: number): Promise<string[]> => {
      const socket = io(server.url, { forceNew: true, reconnection: false });
      const heard: string[] = [];
      for (const name of ["auth_error", "error"]) socket.on(name, () => heard.push(name));
      const over = new Promise<void>((resolve) => {
        socket.on("disconnect", (reason) => {
          heard.push(reason);
          resolve();
        });
      });
      socket.on("connect", () => {
        setTimeout(
          () => socket.emit("authenticate", { token: "not.a.token" }),
          [0, 0, i % 10, i][i % 4],
        );
      });
      await within(over, "the end of a refused connection");
      socket.close();
      return heard;
    };
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => refused(i)));
    for (const heard of all) {
      assert.deepEqual(heard, ["auth_error", "error", "io server disconnect"]);
    }
  } finally {
    await server.close();
  }
});
