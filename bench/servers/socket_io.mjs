/** Baseline: socket.io on Node, everybody in one room, WebSocket transport only. */
import { createServer } from "node:http";
import { Server } from "socket.io";
import { control } from "./node_control.mjs";

const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  pingInterval: 600_000,
  serveClient: false,
});
io.on("connection", (socket) => socket.join("room"));
http.listen(0, "127.0.0.1", () => {
  control(http.address().port, (event) => io.to("room").emit("event", event));
});
