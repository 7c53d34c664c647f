import { useComputed } from "@preact/signals";
import { Check, CheckCheck, CircleAlert, Clock3, Lock } from "lucide-preact";
import { Content } from "./Content.tsx";
import { MessageMenu } from "./MessageMenu.tsx";
import type { BubbleLine, Receipt } from "./thread_rows.ts";
import { type Clock, timeOfDay } from "../format/time.ts";
import { contactName } from "../format/names.ts";
import { lazily } from "../files/lazily.tsx";
import { Avatar } from "../ui/Avatar.tsx";
import { Time } from "../ui/Time.tsx";
import { compose } from "./compose.ts";
import { useInbox } from "./context.ts";

const MessageFiles = lazily(async () => (await import("../files/MessageFiles.tsx")).MessageFiles);

const Reactions = lazily(async () => (await import("./actions/Reactions.tsx")).Reactions);
const EditMessage = lazily(async () => (await import("./actions/EditMessage.tsx")).EditMessage);

export function Bubble({ line, clock, isLast }: {
  line: BubbleLine;
  clock: Clock;
  /** The one that the Tab key reaches; arrows go on from there. */
  isLast: boolean;
}) {
  const { user, activeMessage, messages } = useInbox();
  const active =
    useComputed(() => activeMessage.value?.key === line.key ? activeMessage.value.side : null)
      .value;
  const { message } = line.item;
  const editing =
    useComputed(() =>
      messages.editing.value?.message.id === message?.id ? messages.editing.value : null
    ).value;
  const files = (message ?? line.item.pending)?.files ?? [];
  const { side, isPrivate, startsGroup, endsGroup, receipt } = line;
  const avatar = (
    <Avatar
      id={line.senderId}
      name={line.senderName}
      size="m"
      shape={side === "own" ? "team" : undefined}
    />
  );
  return (
    <article
      class="bubble-line"
      data-message={line.item.message?.id}
      data-key={line.key}
      tabIndex={isLast ? 0 : -1}
      data-side={side}
      data-note={isPrivate ? "" : undefined}
      data-starts={startsGroup ? "" : undefined}
      data-ends={endsGroup ? "" : undefined}
      data-receipt={receipt ?? undefined}
    >
      <span class="bubble-avatar">{endsGroup && avatar}</span>
      <div class="bubble-column">
        {startsGroup
          ? (
            <p class="bubble-name">
              <bdi>{line.senderId === user.id ? "You" : line.senderName}</bdi>
              {isPrivate && (
                <span class="bubble-private">
                  <Lock size={11} aria-hidden="true" /> Private note
                </span>
              )}
            </p>
          )
          : (
            <span class="sr-only">
              <bdi>{line.senderName}</bdi>:
            </span>
          )}
        <div class="bubble">
          {line.isDeleted ? <em class="bubble-deleted">Message withdrawn</em> : (
            <>
              {line.quote && <Quoted quote={line.quote} />}
              {files.length > 0 && (
                <MessageFiles files={files}>
                  <ul class="files">
                    {files.map(({ id, name }) => <li key={id} dir="auto">{name}</li>)}
                  </ul>
                </MessageFiles>
              )}
              {editing
                ? <EditMessage editing={editing} />
                : line.content !== "" && (
                  <div class="said" dir="auto">
                    <Content nodes={message?.formatted ?? [line.content]} isNote={isPrivate} />
                  </div>
                )}
            </>
          )}
        </div>
        {message?.reactions && <Reactions message={message} />}
        {receipt === "failed"
          ? <Failed line={line} />
          : (endsGroup || receipt || line.isEdited) && (
            <p class="bubble-meta">
              <Time iso={line.createdAt} clock={clock} as={timeOfDay} />
              {line.isEdited && <span>Edited</span>}
              {receipt && <ReceiptMark receipt={receipt} />}
            </p>
          )}
      </div>
      {active && message && !editing && !line.isDeleted && (
        <MessageMenu message={message} side={active} />
      )}
    </article>
  );
}

/** What the message replies to; shows it in its place. */
function Quoted({ quote }: { quote: NonNullable<BubbleLine["quote"]> }) {
  const { target, selectedId, user } = useInbox();
  const { id: messageId, seq, sender, preview } = quote;
  return (
    <button
      type="button"
      class="quote"
      onClick={() => target.value = { conversationId: selectedId.value!, messageId, seq }}
    >
      <b>
        <span class="sr-only">In reply to</span>{" "}
        <bdi>
          {sender.userId === user.id
            ? "You"
            : contactName({ id: sender.userId, name: sender.userName })}
        </bdi>
      </b>
      <span dir="auto">{preview || "Message withdrawn"}</span>
    </button>
  );
}

const RECEIPTS: Record<Exclude<Receipt, "failed">, { word: string; Icon: typeof Check }> = {
  sending: { word: "Sending", Icon: Clock3 },
  sent: { word: "Sent", Icon: Check },
  delivered: { word: "Delivered", Icon: CheckCheck },
  read: { word: "Read", Icon: CheckCheck },
};

function ReceiptMark({ receipt }: { receipt: Exclude<Receipt, "failed"> }) {
  const { word, Icon } = RECEIPTS[receipt];
  return (
    <span class="receipt" data-receipt={receipt} title={word}>
      <Icon size={14} aria-hidden="true" />
      <span class={receipt === "read" || receipt === "sending" ? undefined : "sr-only"}>
        {word}
      </span>
    </span>
  );
}

function Failed({ line }: { line: BubbleLine }) {
  const inbox = useInbox();
  const pending = line.item.pending;
  if (pending === null) return null;
  const store = inbox.thread.store();
  const isDeleted = inbox.thread.isDeleted.value;
  return (
    <p class="bubble-meta bubble-failed" role="alert">
      <CircleAlert size={14} aria-hidden="true" />
      <span>Not sent. {isDeleted ? "This conversation was deleted." : pending.error}</span>
      {isDeleted
        ? <button type="button" onClick={inbox.leaveDeleted}>Back to the inbox</button>
        : (
          <button type="button" onClick={() => store?.retry(pending.clientMessageId)}>
            Retry
          </button>
        )}
      {!isDeleted && (
        <button
          type="button"
          onClick={() => {
            store?.discard(pending.clientMessageId);
            inbox.editAgain(pending);
            compose(pending.isPrivate ? "N" : "R");
          }}
        >
          Edit
        </button>
      )}
      <button type="button" onClick={() => store?.discard(pending.clientMessageId)}>Discard</button>
    </p>
  );
}
