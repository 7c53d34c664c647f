/** What people do with conversations, with their rights. HTTP and every socket protocol call this. */
import type { Db } from "../../db/database.ts";
import type { EventBus } from "../events.ts";
import { participations } from "../visitors/contacts.ts";
import type { QueueSettingsStore } from "../workspace/queue_settings.ts";
import { createAccess } from "./access.ts";
import { createChanges } from "./changes.ts";
import { createHistory } from "./history.ts";
import { createJoining } from "./joining.ts";
import { createOpening } from "./opening.ts";
import { createPosting } from "./posting.ts";
import { selectConversations } from "./queries.ts";
import { createReads } from "./reads.ts";
import type { Conversations } from "./types.ts";
import { toConversation } from "./view.ts";
import type { Writer } from "./writer.ts";

export interface ConversationsOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  epoch: string;
  maxReplayEvents: number;
  broadcastsPerMinute: number;
  queueSettings: Pick<QueueSettingsStore, "current">;
  onError: (error: unknown) => void;
}

export function createConversations(options: ConversationsOptions): Conversations {
  const { db, bus, writer, epoch, maxReplayEvents, broadcastsPerMinute, queueSettings, onError } =
    options;
  const reads = createReads(db);
  const access = createAccess(db, reads, epoch);
  bus.on("contact.updated", ({ contactId }) => {
    announceContact(db, bus, epoch, contactId).catch(onError);
  });
  return {
    epoch,
    ...createHistory({ db, reads, access }),
    ...createJoining({ db, reads, access, epoch, maxReplayEvents }),
    ...createOpening({ db, bus, access, queueSettings }),
    ...createPosting({ db, bus, writer, broadcastsPerMinute, queueSettings }),
    ...createChanges({ db, bus, writer, access, onError }),
  };
}

/** Announces all conversations whose row in the list has the contact's name. */
async function announceContact(
  db: Db,
  bus: EventBus,
  epoch: string,
  contactId: string,
): Promise<void> {
  const rows = await selectConversations(db)
    .where((eb) =>
      eb.or([
        eb("c.contact_id", "=", contactId),
        eb("c.id", "in", participations(db, contactId)),
      ])
    ).execute();
  for (const row of rows) {
    bus.emit("conversation.updated", { conversation: toConversation(row, epoch, "agents") });
  }
}
