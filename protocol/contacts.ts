/** What is known about a contact: attributes and who set them, visits, and earlier conversations. */
import { z } from "zod";
import { Contact, ConversationStatus, Cursor, Id, Page, queryInteger, Timestamp } from "./model.ts";
import { cleanName } from "./visible_text.ts";

/** Attributes of one contact. */
export const MAX_ATTRIBUTES = 50;
/** Contacts that are one person. */
export const MAX_MERGED = 100;

export const AttributeName = z.string().overwrite(cleanName).min(1).max(60);
export const AttributeValue = z.union(
  [z.string().max(500), z.number(), z.boolean()],
  "must be text of at most 500 characters, a number, true or false",
);
export type AttributeValue = z.infer<typeof AttributeValue>;

/** What a visitor's page says: their own values, which nobody has verified. */
export const Attributes = z.record(AttributeName, AttributeValue);
export type Attributes = z.infer<typeof Attributes>;
/** null deletes a value. */
export const AttributeChanges = z.record(AttributeName, AttributeValue.nullable());
export type AttributeChanges = z.infer<typeof AttributeChanges>;

/** Who set something, and whether it is proven: an agent answers for it, or a token signed it. */
export const Provenance = z.object({
  source: z.enum(["visitor", "agent", "token"]),
  verified: z.boolean(),
  /** The agent's name; null for others. */
  by: z.string().nullable(),
  at: Timestamp,
});
export type Provenance = z.infer<typeof Provenance>;

export const ContactAttribute = Provenance.extend({ name: z.string(), value: AttributeValue });
export type ContactAttribute = z.infer<typeof ContactAttribute>;

export const SeenPage = Page.extend({ seenAt: Timestamp });
export type SeenPage = z.infer<typeof SeenPage>;
export const SeenPageList = z.object({
  items: z.array(SeenPage),
  nextCursor: z.string().nullable(),
});
export const SeenPageQuery = z.strictObject({
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
});

/** A visit of a website: a session of the widget in one browser. */
export const Visit = z.object({
  widgetName: z.string(),
  origin: z.string().nullable(),
  userAgent: z.string().nullable(),
  /** As the browser says it, such as "de-AT". */
  language: z.string().nullable(),
  startedAt: Timestamp,
  lastSeenAt: Timestamp,
});
export type Visit = z.infer<typeof Visit>;

/** A part of a conversation that ends where it was resolved, or its last part, which goes on. */
export const Episode = z.object({
  conversationId: Id,
  platform: z.string(),
  contextId: z.string().nullable(),
  /** Of the log: afterSeq < seq <= toSeq. */
  afterSeq: z.number().int(),
  toSeq: z.number().int(),
  /** "resolved" for every part but the last. */
  status: ConversationStatus,
  startedAt: Timestamp,
  /** Of the last event. */
  endedAt: Timestamp,
  /** Public messages. */
  messages: z.number().int(),
  /** The beginning of the first message of a visitor; empty without one. */
  preview: z.string(),
});
export type Episode = z.infer<typeof Episode>;

export const ContactIdentity = z.object({
  /** Where the id is from: "token" for the `sub` of a participant's token, or a channel. */
  platform: z.string(),
  externalId: z.string(),
  verified: z.boolean(),
  createdAt: Timestamp,
});

export const Merge = z.object({
  id: Id,
  /** The contact that was merged, with the name that it had. */
  contactId: Id,
  name: z.string(),
  /** The agent's name. */
  by: z.string().nullable(),
  at: Timestamp,
});
export type Merge = z.infer<typeof Merge>;

/** Everything that an agent sees beside a thread; lists have their newest entries. */
export const ContactProfile = z.object({
  /** The contact; of a merged one, the contact that it was merged into. */
  contact: Contact,
  /** The ids of the contact and of those that were merged into it. */
  memberIds: z.array(Id),
  merges: z.array(Merge),
  blocked: z.object({ at: Timestamp, by: z.string().nullable() }).nullable(),
  /** Who set these; absent where they were never set. */
  provenance: z.object({ name: Provenance.optional(), email: Provenance.optional() }),
  attributes: z.array(ContactAttribute),
  identities: z.array(ContactIdentity),
  visits: z.array(Visit),
  pages: z.array(SeenPage),
  /** The page of another website that led to the first page that is known. */
  referrer: z.string().nullable(),
  episodes: z.array(Episode),
});
export type ContactProfile = z.infer<typeof ContactProfile>;

/** All contacts, those who have written, or those who are blocked. */
export const ContactView = z.enum(["all", "wrote", "blocked"]);
export type ContactView = z.infer<typeof ContactView>;
/** The last created first, the last seen first, or by name. */
export const ContactSort = z.enum(["newest", "recent", "name"]);
export type ContactSort = z.infer<typeof ContactSort>;

export const ContactQuery = z.strictObject({
  /** Words, or their beginnings, of the name, the address and the telephone number. */
  q: z.string().max(200).optional(),
  view: ContactView.optional(),
  /** Whether they have an e-mail address. */
  hasEmail: z.enum(["true", "false"]).optional(),
  sort: ContactSort.optional(),
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
});
export type ContactQuery = z.infer<typeof ContactQuery>;

/** A contact in the list. A merged contact is in the list as the one that it was merged into. */
export const ContactEntry = Contact.extend({
  blockedAt: Timestamp.nullable(),
  /** Their conversation with the newest activity; null without one. */
  conversationId: Id.nullable(),
  /** The beginning of its last message. */
  preview: z.string().nullable(),
});
export type ContactEntry = z.infer<typeof ContactEntry>;
export const ContactList = z.object({
  items: z.array(ContactEntry),
  nextCursor: z.string().nullable(),
});
export type ContactList = z.infer<typeof ContactList>;

/** The contact that is the same person, and disappears from lists. */
export const MergeBody = z.strictObject({ contactId: Id });
export const BlockBody = z.strictObject({ blocked: z.boolean() });
export const BlockResponse = z.object({ blockedAt: Timestamp.nullable() });
