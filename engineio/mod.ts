/** An Engine.IO 4 server for `Deno.serve`. See README.md. */
export { createEngine } from "./engine.ts";
export type { EngineErrorName } from "./responses.ts";
export type { Timers } from "./timers.ts";
export type {
  CloseReason,
  Engine,
  EngineOptions,
  EngineRequest,
  EngineSocket,
  EngineSocketEvents,
  EngineTransport,
  Packet,
  Peer,
  Slot,
} from "./types.ts";
