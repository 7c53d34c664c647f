import { useState } from "preact/hooks";
import { CheckCheck, SendHorizontal } from "lucide-preact";
import { MAX_CONTENT } from "../live/limits.ts";
import { Button } from "../ui/Button.tsx";
import { protocolOf } from "./protocols.ts";
import type { SideModel } from "./side_model.ts";

/** Sends messages and marks as read. Without a connection messages wait. */
export function TestComposer({ model }: { model: SideModel }) {
  const [text, setText] = useState("");
  const { has } = protocolOf(model.protocol.value);
  const connected = model.link.value.name === "connected";
  const other = model.side === "customer" ? "the agent" : "the customer";
  const unread = model.lastOfOthers.value > model.markedRead.value;
  const send = () => {
    if (text.trim() === "") return;
    model.send(text);
    setText("");
  };
  return (
    <form
      class="test-composer"
      aria-label={`Write to ${other}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <input
        type="text"
        aria-label={`Message to ${other}`}
        placeholder={`Message to ${other}`}
        maxLength={MAX_CONTENT}
        autocomplete="off"
        enterkeyhint="send"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          model.typing(event.currentTarget.value.trim() !== "");
        }}
        onBlur={() => model.typing(false)}
      />
      <Button
        type="submit"
        kind="primary"
        unavailable={text.trim() === ""}
        icon={<SendHorizontal size={16} aria-hidden="true" />}
      >
        Send
      </Button>
      {has.read && (
        <Button
          unavailable={!connected || !unread}
          icon={<CheckCheck size={16} aria-hidden="true" />}
          onClick={model.markRead}
        >
          Mark as read
        </Button>
      )}
    </form>
  );
}
