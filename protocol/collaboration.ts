/** Shared documents: commands, answers and events, of the native protocol and of the scoped one. */
import { z } from "zod";
import { ContextId } from "./contexts.ts";
import { Id } from "./model.ts";
import { lengthOf, type TextEdit } from "./text.ts";

/** Edits in one command at most: what a client gathered while its last command was under way. */
export const MAX_EDITS = 100;
/** Of a client's own name for itself, which tells its edits from those of its other windows. */
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

/** Line ends are \n: a text in which they differ has other positions in every editor. */
const Inserted = z.string().refine((text) => !text.includes("\r"), "must have \\n as line ends");

const Edit = z.object({
  operation: z.enum(["insert", "delete", "replace"], 'must be "insert", "delete" or "replace"'),
  position: Count,
  length: Count.optional(),
  content: Inserted.optional(),
});

/** What an edit needs for its operation. */
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

/** What a deletion took out may stand for its length. */
function toEdit({ operation, position, length, content = "" }: z.infer<typeof Edit>): TextEdit {
  if (operation === "insert") return { operation, position, content };
  if (operation === "delete") return { operation, position, length: length ?? lengthOf(content) };
  return { operation, position, length: length!, content };
}

/** One edit beside the rest, or several, each of the text that those before it made. */
const edited = {
  /** The version of the text that the edit is of. */
  version: Count,
  /** With it, an edit that is sent again is the same edit. Counts up, for each client. */
  opId: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  /** Only if the text is that version still: nobody's edit came in between. */
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
  /** With `version`: of that text. */
  version: Count.optional(),
  /** null: nowhere. */
  position: Count.nullable(),
  selectionEnd: Count.optional(),
};

const known = {
  clientId: ClientId.optional(),
  /** Up to where the text is known, from an answer with the same `epoch`. */
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
  /** `sessionId` may be left out by who is in one session. */
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

/** Where somebody's cursor is; null: they have none any more. */
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
  /** 0: nothing was left to do, or it is too long ago to say. */
  count: number;
  /** It was there already. */
  duplicate: boolean;
}

/** Where a document stands for who joins it: its whole text, or what came after a known version. */
export interface DocumentState {
  epoch: string;
  version: number;
  /** null: `edits` are all that is missing. */
  content: string | null;
  edits: DocumentEdit[];
  /** The last `opId` of the joiner's `clientId` that the document has; null: none is remembered. */
  lastOpId: number | null;
}
