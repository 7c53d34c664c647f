/** Baseline: the `ws` package on Node, one send for each client and message. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { control } from "./node_control.mjs";

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
http.listen(0, "127.0.0.1", () => {
  control(http.address().port, (event) => {
    // Encoded once for all, and as a Buffer, which `ws` sends faster than a string.
    const data = Buffer.from(JSON.stringify(event));
    for (const client of server.clients) client.send(data, { binary: false });
  });
});
