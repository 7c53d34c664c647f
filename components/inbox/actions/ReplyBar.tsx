import "../../styles/message_actions.css";
import { X } from "lucide-preact";
import type { Message } from "../../../protocol/model.ts";
import { contactName } from "../../format/names.ts";
import { IconButton } from "../../ui/Button.tsx";
import { useInbox } from "../context.ts";

/** What the message that is being written replies to. */
export function ReplyBar({ message }: { message: Message }) {
  const { messages, user } = useInbox();
  const { sender, content, files } = message;
  const name = sender.userId === user.id
    ? "yourself"
    : contactName({ id: sender.userId, name: sender.userName });
  return (
    <div class="reply-bar">
      <p class="quote">
        <b>
          Replying to <bdi>{name}</bdi>
        </b>
        <span dir="auto">{content || files?.[0]?.name}</span>
      </p>
      <IconButton
        label="Do not reply to this message"
        size="s"
        onClick={() => {
          messages.replyingTo.value = null;
          document.getElementById("composer")?.focus();
        }}
      >
        <X size={16} />
      </IconButton>
    </div>
  );
}
