import { LINK, safeElement } from "../../client/links.ts";
import type { FormattedNode } from "../../protocol/formatting.ts";
import type { User } from "../../protocol/model.ts";
import { linkify } from "../format/link_text.ts";
import { useInbox } from "./context.ts";
import { noteParts } from "./note_mentions.ts";

interface ContentProps {
  nodes: readonly FormattedNode[];
  isNote: boolean;
  /** Within code and links nothing is made of the text. */
  isVerbatim?: boolean;
}

/** What a message says: the elements that the server made of its Markdown, or its text alone. */
export function Content({ nodes, isNote, isVerbatim = false }: ContentProps) {
  return (
    <>
      {nodes.map((node, i) => {
        if (typeof node === "string") {
          return isVerbatim ? node : <Text key={i} text={node} isNote={isNote} />;
        }
        const { tag: Tag, ...attributes } = safeElement(node);
        return (
          <Tag key={i} {...attributes}>
            <Content
              nodes={node.content}
              isNote={isNote}
              isVerbatim={isVerbatim || /^(a|code|pre)$/.test(Tag)}
            />
          </Tag>
        );
      })}
    </>
  );
}

function Text({ text, isNote }: { text: string; isNote: boolean }) {
  const { users } = useInbox();
  return (
    <>
      {linkify(text).map((part, i) =>
        part.href
          ? <a key={i} {...LINK} href={part.href} title={part.title}>{part.text}</a>
          : isNote
          ? <Mentions key={i} text={part.text} people={users.value} />
          : part.text
      )}
    </>
  );
}

function Mentions({ text, people }: { text: string; people: readonly User[] }) {
  const { user } = useInbox();
  return (
    <>
      {noteParts(text, people).map(({ text, mentions }, i) =>
        mentions
          ? (
            <span key={i} class="mention" data-me={mentions.includes(user.id) ? "" : undefined}>
              {text}
            </span>
          )
          : text
      )}
    </>
  );
}
