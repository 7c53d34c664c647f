import {
  Copy as CopyIcon,
  Ellipsis,
  Link,
  MessageSquarePlus,
  Pencil,
  Reply as ReplyIcon,
  SmilePlus,
  Trash2,
} from "lucide-preact";
import type { Message } from "../../protocol/model.ts";
import { IconButton } from "../ui/Button.tsx";
import { Menu, MenuItem } from "../ui/Menu.tsx";
import { replyTo } from "./compose.ts";
import { useInbox } from "./context.ts";

/** What can be done with a message; it is there while the pointer or the focus is on the message. */
export function MessageMenu({ message, side }: { message: Message; side: "top" | "bottom" }) {
  const inbox = useInbox();
  const { toasts, messages } = inbox;
  const isReply = message.sender.role !== "visitor" && !message.isPrivate;
  const copy = (text: string, done: string) => {
    // Without TLS there is no clipboard.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject();
    copied.then(
      () => toasts.show({ tone: "good", text: done }),
      () => toasts.show({ tone: "bad", text: "Your browser does not allow copying here." }),
    );
  };
  return (
    <span class="message-menu">
      <Menu
        label="Message"
        side={side}
        align={message.sender.role === "visitor" ? "start" : "end"}
        trigger={(props) => (
          <IconButton label="More" size="s" {...props}>
            <Ellipsis size={16} />
          </IconButton>
        )}
      >
        {(close) => {
          const item = (run: () => void) => () => {
            close();
            run();
          };
          return (
            <>
              <MenuItem
                icon={<ReplyIcon size={16} />}
                note="Q"
                onSelect={item(() => replyTo(inbox, message))}
              >
                Reply
              </MenuItem>
              <MenuItem
                icon={<SmilePlus size={16} />}
                note="+"
                onSelect={item(() => messages.reacting.value = message)}
              >
                React
              </MenuItem>
              {messages.mayEdit(message) && (
                <MenuItem
                  icon={<Pencil size={16} />}
                  onSelect={item(() => messages.edit(message))}
                >
                  Edit
                </MenuItem>
              )}
              <MenuItem
                icon={<CopyIcon size={16} />}
                onSelect={item(() => copy(message.content, "The text is copied."))}
              >
                Copy text
              </MenuItem>
              <MenuItem
                icon={<Link size={16} />}
                onSelect={item(() => copy(inbox.linkTo(message), "The link is copied."))}
              >
                Copy link
              </MenuItem>
              {isReply && (
                <MenuItem
                  icon={<MessageSquarePlus size={16} />}
                  onSelect={item(() => inbox.cannedFrom.value = message.content)}
                >
                  Save as canned reply
                </MenuItem>
              )}
              {messages.mayWithdraw(message) && (
                <MenuItem
                  icon={<Trash2 size={16} />}
                  note="Del"
                  onSelect={item(() => messages.withdrawing.value = message)}
                >
                  {message.sender.userId === inbox.user.id ? "Withdraw" : "Delete"}
                </MenuItem>
              )}
            </>
          );
        }}
      </Menu>
    </span>
  );
}
