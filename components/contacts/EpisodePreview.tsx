import { useEffect, useState } from "preact/hooks";
import { LINK, safeElement } from "../../client/links.ts";
import type { Episode } from "../../protocol/contacts.ts";
import type { FormattedNode } from "../../protocol/formatting.ts";
import type { Message } from "../../protocol/model.ts";
import type { MessageList } from "../../protocol/rest.ts";
import { linkify } from "../format/link_text.ts";
import { mediumTime } from "../format/time.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { Time } from "../ui/Time.tsx";

const PAGE = 50;

/** The messages of an earlier conversation, to read only. */
export function EpisodePreview({ episode, onOpen }: {
  episode: Episode;
  onOpen: (() => void) | undefined;
}) {
  const { request, clock } = useWorkspace();
  const { conversationId, afterSeq, toSeq } = episode;
  const [messages, setMessages] = useState<Message[] | null>(null);
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function read(after: number, before: Message[]) {
    setBusy(true);
    setProblem(null);
    try {
      const query = `after=${after}&limit=${PAGE}`;
      const page = await request<MessageList>(
        `/api/conversations/${conversationId}/messages?${query}`,
      );
      const own = page.items.filter(({ seq }) => seq <= toSeq);
      setMessages([...before, ...own]);
      setHasMore(page.nextCursor !== null && own.length === page.items.length);
    } catch (error) {
      setProblem(errorText(error));
    }
    setBusy(false);
  }
  useEffect(() => void read(afterSeq, []), []);

  return (
    <div class="episode">
      {messages === null
        ? problem === null && <ListSkeleton rows={4} label="Loading messages" />
        : (
          <ol class="episode-lines" tabIndex={0} aria-label="Messages">
            {messages.map((message) => (
              <li
                key={message.id}
                data-role={message.isPrivate ? "note" : message.sender.role}
                data-type={message.type}
              >
                {message.type !== "activity" && (
                  <p class="page-path">
                    <bdi>{message.sender.userName}</bdi>
                    {message.isPrivate && " (note)"}{" "}
                    <Time iso={message.createdAt} clock={clock.value} as={mediumTime} />
                  </p>
                )}
                <div class="said" dir="auto">
                  <Said message={message} />
                </div>
              </li>
            ))}
          </ol>
        )}
      <div aria-live="assertive">
        {problem && (
          <Notice>
            {problem}{" "}
            <button
              type="button"
              class="link"
              onClick={() => void read(messages?.at(-1)?.seq ?? afterSeq, messages ?? [])}
            >
              Try again
            </button>
          </Notice>
        )}
      </div>
      <div class="dialog-actions">
        {hasMore && (
          <Button
            kind="quiet"
            busy={busy}
            onClick={() => void read(messages!.at(-1)!.seq, messages!)}
          >
            Show more
          </Button>
        )}
        {onOpen === undefined
          ? (
            <a class="button" data-kind="plain" href={`/conversations/${conversationId}`}>
              Open conversation
            </a>
          )
          : <Button onClick={onOpen}>Show in conversation</Button>}
      </div>
    </div>
  );
}

function Said({ message }: { message: Message }) {
  if (message.deletedAt !== null) return <em>Message deleted</em>;
  const names = message.files?.map(({ name }) => name).join(", ");
  return (
    <>
      <Nodes nodes={message.formatted ?? [message.content]} />
      {names && <span class="page-path">{names}</span>}
    </>
  );
}

function Nodes({ nodes, isVerbatim = false }: {
  nodes: readonly FormattedNode[];
  /** Within code and links nothing is made of the text. */
  isVerbatim?: boolean;
}) {
  return (
    <>
      {nodes.map((node, i) => {
        if (typeof node === "string") return isVerbatim ? node : <Text key={i} text={node} />;
        const { tag: Tag, ...attributes } = safeElement(node);
        return (
          <Tag key={i} {...attributes}>
            <Nodes nodes={node.content} isVerbatim={isVerbatim || /^(a|code|pre)$/.test(Tag)} />
          </Tag>
        );
      })}
    </>
  );
}

function Text({ text }: { text: string }) {
  return (
    <>
      {linkify(text).map((part, i) =>
        part.href ? <a key={i} {...LINK} href={part.href}>{part.text}</a> : part.text
      )}
    </>
  );
}
