/**
 * Baseline: a bare `Deno.serve`, one send per socket and message. A client's message is relayed to
 * all others unchanged.
 */
import { control } from "./deno_control.ts";

const sockets = new Set<WebSocket>();
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 1200 });
  socket.onopen = () => sockets.add(socket);
  socket.onmessage = ({ data }) => {
    for (const other of sockets) {
      if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data);
    }
  };
  socket.onclose = () => sockets.delete(socket);
  socket.onerror = () => sockets.delete(socket);
  return response;
});
control(server.addr.port, (events) => {
  for (const event of events) {
    const text = JSON.stringify(event);
    for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }
});
