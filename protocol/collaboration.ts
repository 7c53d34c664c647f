/** Shared documents: commands, responses and events of the native and the scoped protocol. */
import { z } from "zod";
import { ContextId } from "./contexts.ts";
import { Id } from "./model.ts";
import { lengthOf, type TextEdit } from "./text.ts";

/** Edits of one command: what a client has collected while its last command was in flight. */
export const MAX_EDITS = 100;
/** The name that a client chooses for itself, which identifies its edits among several windows. */
export const ClientId = z.string().min(1).max(64).regex(
  /^[\x21-\x7e]+$/,
  "must be visible ASCII without spaces",
);

const printable = (max: number) =>
  z.string().min(1).max(max)
    .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u, "must be printable characters");
const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const SessionId = printable(200);
/** `viewer` may not edit; every other name of a part may. */
export const SessionRole = printable(50);
export const VIEWER = "viewer";

/** Line ends are \n: with others, editors would count positions differently. */
const Inserted = z.string().refine((text) => !text.includes("\r"), "must have \\n as line ends");

const Edit = z.object({
  operation: z.enum(["insert", "delete", "replace"], 'must be "insert", "delete" or "replace"'),
  position: Count,
  length: Count.optional(),
  content: Inserted.optional(),
});

/** Checks that an edit has the fields of its operation. */
function checkEdit(edit: Partial<z.infer<typeof Edit>>, context: z.RefinementCtx): void {
  const { operation, position, content, length } = edit;
  const need = (field: string, value: unknown) => {
    if (value !== undefined) return;
    context.addIssue({ code: "custom", path: [field], message: "is needed" });
  };
  need("operation", operation);
  need("position", position);
  if (operation === "insert" || operation === "replace") need("content", content);
  if (operation === "replace") need("length", length);
  if (operation === "delete") need("length", length ?? content);
}

/** A deletion may have its text instead of its length. */
function toEdit({ operation, position, length, content = "" }: z.infer<typeof Edit>): TextEdit {
  if (operation === "insert") return { operation, position, content };
  if (operation === "delete") return { operation, position, length: length ?? lengthOf(content) };
  return { operation, position, length: length!, content };
}

/** One edit in the fields of the command, or several in `edits`, each of the text after those before. */
const edited = {
  /** The version of the text that the edit is of. */
  version: Count,
  /** Makes a repeated command harmless. Increases with each command of a client. */
  opId: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  /** Refuse the command unless the text is still of that version. */
  exact: z.boolean().optional(),
  edits: z.array(Edit.superRefine(checkEdit)).min(1).max(MAX_EDITS).optional(),
  ...Edit.partial().shape,
};
type Edited = z.infer<z.ZodObject<typeof edited>>;

function checkEdited(data: Edited, context: z.RefinementCtx): void {
  if (data.edits === undefined) checkEdit(data, context);
}

function toEdited<T extends Edited>(data: T) {
  const { edits, operation, position, length, content, ...rest } = data;
  const one = { operation, position, length, content } as z.infer<typeof Edit>;
  return { ...rest, edits: (edits ?? [one]).map(toEdit) };
}

const position = {
  /** The version of the text that the position is of. */
  version: Count.optional(),
  /** null: nowhere. */
  position: Count.nullable(),
  selectionEnd: Count.optional(),
};

const known = {
  clientId: ClientId.optional(),
  /** The version that the client has, from a response with this `epoch`. */
  epoch: z.string().max(64).optional(),
  version: Count.optional(),
};

/** `data` of the scoped protocol's commands. */
export const SCOPED = {
  join_session: z.object({
    sessionId: SessionId,
    role: SessionRole.default("participant"),
    ...known,
  }),
  leave_session: z.object({ sessionId: SessionId }),
  /** `sessionId` may be left out by a client in only one session. */
  edit: z.object({ sessionId: SessionId.optional(), ...edited })
    .superRefine(checkEdited).transform(toEdited),
  cursor: z.object({ sessionId: SessionId.optional(), ...position }),
};

/** What a document belongs to: exactly one of the three. */
export const DocumentSubject = {
  /** The reply that agents write together. */
  conversationId: Id.optional(),
  /** The notes that agents keep on a contact. */
  contactId: Id.optional(),
  contextId: ContextId.optional(),
  sessionId: SessionId.optional(),
};

/** `data` of the native protocol's commands. */
export const NATIVE = {
  join_session: z.object({
    ...DocumentSubject,
    role: SessionRole.default("participant"),
    ...known,
  }).refine(
    ({ conversationId, contactId, contextId }) =>
      [conversationId, contactId, contextId].filter((id) => id !== undefined).length === 1,
    "exactly one of conversationId, contactId and contextId is needed",
  ).refine(
    ({ contextId, sessionId }) => (contextId === undefined) === (sessionId === undefined),
    "contextId and sessionId go together",
  ),
  leave_session: z.object({ documentId: Id }),
  edit: z.object({ documentId: Id, ...edited }).superRefine(checkEdited).transform(toEdited),
  cursor: z.object({ documentId: Id, ...position }),
};

export interface EditCommand {
  version: number;
  opId?: number | undefined;
  exact?: boolean | undefined;
  edits: TextEdit[];
}
export type CursorCommand = Omit<z.infer<typeof SCOPED.cursor>, "sessionId">;

/** Who wrote it. */
export interface Author {
  userId: string;
  userName: string;
  role: "agent" | "visitor";
}

/** One edit that the document has taken: it made `version` of the version before. */
export type DocumentEdit = TextEdit & {
  documentId: string;
  /** The context's own name of the session; null for documents that belong to something else. */
  sessionId: string | null;
  version: number;
  author: Author;
  /** The name that the writing client gave itself, and its number for the command. */
  clientId: string;
  opId: number | null;
};

/** Somebody's cursor; `position` null: they have none any more. */
export interface DocumentCursor extends Author {
  documentId: string;
  sessionId: string | null;
  clientId: string;
  version: number | null;
  position: number | null;
  selectionEnd: number | null;
}

/** The `ack` of an edit: it became the `count` versions that end with `version`. */
export interface EditReceipt {
  version: number;
  /** 0: the edit had no effect, or the command is too old to tell. */
  count: number;
  /** The command was stored before. */
  duplicate: boolean;
}

/** The state of a document at a join: its whole text, or the edits after a known version. */
export interface DocumentState {
  epoch: string;
  version: number;
  /** null: `edits` are all that is missing. */
  content: string | null;
  edits: DocumentEdit[];
  /** The last `opId` of the client's `clientId` that the document has; null: none. */
  lastOpId: number | null;
}
