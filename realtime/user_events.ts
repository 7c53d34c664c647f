import type { Realtime } from "./types.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";

/** Events that other programs send to people, with names that they choose. They are not stored. */
export function createUserEvents(hub: Hub): Pick<Realtime, "sendToUser" | "sendToRoom"> {
  const eventOf = (name: string, data: Record<string, unknown>) =>
    ({ type: "user_event", timestamp: new Date().toISOString(), data: { name, data } }) as const;
  return {
    sendToUser(userId, name, data) {
      const event = eventOf(name, data);
      hub.publish({ room: ROOMS.user(userId), forAgents: event, forVisitors: event });
    },
    sendToRoom(room, name, data) {
      const event = eventOf(name, data);
      if (room === "agents") {
        hub.publish({ room: ROOMS.agents, forAgents: event, forVisitors: null });
      } else {
        const name = ROOMS.conversation(room.conversationId);
        hub.publish({ room: name, forAgents: event, forVisitors: event });
      }
    },
  };
}
