import "../../styles/message_actions.css";
import type { Message } from "../../../protocol/model.ts";
import { contactName } from "../../format/names.ts";
import { useInbox } from "../context.ts";

/** Reactions to a message, each a switch of one's own. */
export function Reactions({ message }: { message: Message }) {
  const { messages, users, user, selected } = useInbox();
  const nameOf = (id: string) => {
    if (id === user.id) return "You";
    const contact = selected.value?.contact;
    return users.value.find((one) => one.id === id)?.name ??
      (contact?.id === id ? contactName(contact) : "A visitor");
  };
  return (
    <p class="reactions">
      {message.reactions!.map(({ emoji, userIds }) => {
        const names = userIds.map(nameOf).join(", ");
        return (
          <button
            key={emoji}
            type="button"
            title={names}
            aria-pressed={userIds.includes(user.id) ? "true" : "false"}
            onClick={() => messages.react(message, emoji)}
          >
            <span class="emoji">{emoji}</span> {userIds.length}
            <span class="sr-only">: {names}</span>
          </button>
        );
      })}
    </p>
  );
}
