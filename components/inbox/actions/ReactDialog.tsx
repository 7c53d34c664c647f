import "../../styles/message_actions.css";
import type { Message } from "../../../protocol/model.ts";
import { Dialog } from "../../ui/Dialog.tsx";
import { useInbox } from "../context.ts";
import { EmojiPicker } from "../suggestions/EmojiPicker.tsx";

/** The usual ones; the widget has the same. */
const USUAL = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

/** Picks the emoji with which an agent reacts to a message. */
export function ReactDialog({ message }: { message: Message }) {
  const { messages } = useInbox();
  const close = () => messages.reacting.value = null;
  const pick = (emoji: string) => {
    close();
    messages.react(message, emoji);
  };
  return (
    <Dialog open title="React to the message" onClose={close} focusInside>
      <div class="react">
        <EmojiPicker onPick={pick} onClose={close} usual={USUAL} />
      </div>
    </Dialog>
  );
}
