/** The arguments of the events that Socket.IO clients send. */
import { z } from "zod";
import { fieldErrors, ParleyError } from "../../protocol/errors.ts";
import { Id } from "../../protocol/model.ts";
import { ContentOrFiles, FileIds, HAS_CONTENT } from "../../protocol/native.ts";

const Seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** `conversationId`, or `{conversationId}`. */
const Named = z.union([
  Id.transform((conversationId) => ({ conversationId })),
  z.object({ conversationId: Id }),
]);

const Position = z.object({
  after: Seq.optional(),
  epoch: z.string().min(1).max(64).optional(),
});

const Receipt = z.object({ conversationId: Id, seq: Seq });

export const SCHEMAS = {
  authenticate: z.object({ token: z.unknown(), sessionId: z.unknown() }).partial(),
  join_conversation: z.union([
    Id.transform((conversationId) => ({ conversationId })),
    Position.extend({ conversationId: Id }),
  ]),
  leave_conversation: Named,
  send_message: z.object({
    conversationId: Id.optional(),
    content: ContentOrFiles,
    /** Files that were uploaded over HTTP. */
    fileIds: FileIds.optional(),
    /** Makes a retry harmless. Optional, because the protocol's documents do not have it. */
    clientMessageId: z.string()
      .regex(/^[\x21-\x7e]{1,64}$/, "must be 1 to 64 visible ASCII characters").optional(),
  }).refine(...HAS_CONTENT),
  typing_start: Named,
  typing_stop: Named,
  message_read: Receipt,
  message_delivered: Receipt,
  set_presence: z.union([
    z.enum(["online", "away"]).transform((status) => ({ status })),
    z.object({ status: z.enum(["online", "away"]) }),
  ]),
} as const;

export type ClientEvent = keyof typeof SCHEMAS;
export type ClientData<E extends ClientEvent> = z.infer<(typeof SCHEMAS)[E]>;

export function isClientEvent(name: unknown): name is ClientEvent {
  return typeof name === "string" && Object.hasOwn(SCHEMAS, name);
}

/** @throws {ParleyError} `invalid`, with the field that is wrong. */
export function readArguments<E extends ClientEvent>(name: E, args: unknown[]): ClientData<E> {
  const parsed = SCHEMAS[name].safeParse(args[0]);
  if (!parsed.success) throw wrong(name, parsed.error);
  if (name !== "join_conversation" || args[1] === undefined || args[1] === null) {
    return parsed.data as ClientData<E>;
  }
  const position = Position.safeParse(args[1]);
  if (!position.success) throw wrong(name, position.error);
  return { ...parsed.data, ...position.data } as ClientData<E>;
}

/** Of a union, reports the branch that matched furthest, which is what the client meant. */
function wrong(name: string, error: z.ZodError): ParleyError {
  const [first] = error.issues;
  const branches = first?.code === "invalid_union" ? first.errors : [error.issues];
  const issues = branches.findLast((branch) => branch.some(({ path }) => path.length > 0)) ??
    branches[0]!;
  const fields = fieldErrors({ issues });
  const { path, message } = fields[0] ?? { path: "", message: "is not valid" };
  const what = path === "" ? message : `"${path}": ${message}`;
  return new ParleyError("invalid", `Cannot accept "${name}": ${what}`, { fields });
}
