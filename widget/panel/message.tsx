import { useEffect, useMemo, useRef } from "preact/hooks";
import { linkify } from "../../client/link_finder.ts";
import { LINK, safeElement } from "../../client/links.ts";
import { deliveryStatus, type ThreadItem } from "../../client/mod.ts";
import type { FormattedNode } from "../../protocol/formatting.ts";
import type { Message, Pointers } from "../../protocol/model.ts";
import type { Chat } from "./chat.ts";
import { type Formats, initials } from "./format.ts";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon } from "./icons.tsx";

export interface MessageProps {
  item: ThreadItem;
  pointers: Pointers | undefined;
  formats: Formats;
  /** Whether it is the first and the last message of a group. */
  first: boolean;
  last: boolean;
  /** Whether the Tab key reaches its button; arrows go on from there. */
  reached: boolean;
  connected: boolean;
  chat: Chat;
  onRetry: (id: string) => void;
  onDiscard: (id: string) => void;
}

/** The elements that the server made of a message, or its text alone. */
function Text({ nodes, verbatim }: { nodes: readonly FormattedNode[]; verbatim?: boolean }) {
  return (
    <>
      {nodes.map((node, index) => {
        if (typeof node !== "string") {
          const { tag: Tag, ...attributes } = safeElement(node);
          return (
            <Tag key={index} {...attributes}>
              <Text nodes={node.content} verbatim={verbatim || /^(a|code|pre)$/.test(Tag)} />
            </Tag>
          );
        }
        return verbatim
          ? node
          : linkify(node).map((part, i) =>
            part.href
              ? <a key={i} {...LINK} href={part.href} title={part.title}>{part.text}</a>
              : part.text
          );
      })}
    </>
  );
}

/** Files are drawn by their own chunk; until it is there, they have their names. */
function Body({ item, chat }: Pick<MessageProps, "item" | "chat">) {
  const { content, files, replyToId } = (item.message ?? item.pending)!;
  const formatted = item.message?.formatted;
  const box = useRef<HTMLDivElement>(null);
  const quote = useRef<HTMLDivElement>(null);
  const ids = files?.map(({ id }) => id).join();
  useEffect(() => {
    if (files) chat.files.show(box.current!, files).catch(() => {});
  }, [ids]);
  useEffect(() => {
    if (replyToId) chat.actions.use((all) => all.quote(quote.current!, item));
  }, [replyToId, item.message?.quote?.preview]);
  const names = useMemo(() => files?.map(({ name }) => name).join(", "), [ids]);
  return (
    <>
      {replyToId && <div ref={quote} />}
      {files && <div class="shown" ref={box}>{names}</div>}
      {content !== "" && (
        <div class="text" dir="auto">
          <Text nodes={formatted ?? [content]} />
        </div>
      )}
    </>
  );
}

function Reactions({ message, chat }: { message: Message; chat: Chat }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    chat.actions.use((all) => all.reactions(box.current!, message));
  }, [message.reactions]);
  return <div class="reactions" ref={box} />;
}

const MARKS = {
  waiting: { Mark: ClockIcon, text: "Waiting for the connection" },
  sending: { Mark: ClockIcon, text: "Sending" },
  sent: { Mark: CheckIcon, text: "Sent" },
  delivered: { Mark: ChecksIcon, text: "Delivered" },
  read: { Mark: ChecksIcon, text: "Read" },
};

function markOf({ item, pointers, connected }: MessageProps): keyof typeof MARKS {
  if (item.message === null) return connected ? "sending" : "waiting";
  return pointers === undefined ? "sent" : deliveryStatus(item.message, pointers);
}

function Failed({ item, onRetry, onDiscard }: MessageProps) {
  const { clientMessageId, error } = item.pending!;
  return (
    <div class="failed">
      <p>
        <AlertIcon />
        <span>Not sent. {error}</span>
      </p>
      <button type="button" onClick={() => onRetry(clientMessageId)}>Try again</button>
      <button type="button" onClick={() => onDiscard(clientMessageId)}>Delete</button>
    </div>
  );
}

/** One message of the visitor or the team, stored or pending. */
export function MessageLine(props: MessageProps) {
  const { item, formats, first, last, reached, chat } = props;
  const { message, pending } = item;
  const own = pending !== null || message?.sender.role === "visitor";
  const createdAt = (message ?? pending)!.createdAt;
  const name = own ? "You" : message!.sender.userName;
  const { Mark, text } = MARKS[markOf(props)];
  const waiting = pending?.state === "sending";
  const edited = message?.editedAt && !message.deletedAt;
  const failed = pending?.state === "failed";
  return (
    <div
      class={`line ${own ? "own" : "team"}${last ? " last" : ""}${waiting ? " waiting" : ""}`}
      data-key={item.key}
      data-id={message?.id}
    >
      {!own && last && <span class="avatar" aria-hidden="true">{initials(name)}</span>}
      <div class="said">
        {first && !own ? <p class="name" dir="auto">{name}</p> : (
          <span class="sr">
            <bdi>{name}</bdi>:
          </span>
        )}
        <div class="bubble">
          {message?.deletedAt
            ? <em>This message was withdrawn</em>
            : <Body item={item} chat={chat} />}
        </div>
        {message && !message.deletedAt && (
          <button
            type="button"
            class="more"
            tabIndex={reached ? 0 : -1}
            aria-label="Message options"
            onClick={({ currentTarget }) => chat.actions.open(message, currentTarget)}
          >
            ⋯
          </button>
        )}
        {message?.reactions && <Reactions message={message} chat={chat} />}
        {failed ? <Failed {...props} /> : (own || last || edited) && (
          <p class="meta">
            {edited && <span>Edited</span>}
            <time dateTime={createdAt} title={formats.full(createdAt)}>
              {formats.time(createdAt)}
            </time>
            {own && (
              <span class={`mark ${markOf(props)}`} title={text}>
                <Mark />
                <span class="sr">{text}</span>
              </span>
            )}
            {waiting && <span>{text}</span>}
          </p>
        )}
      </div>
    </div>
  );
}
