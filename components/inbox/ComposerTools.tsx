import { useRef, useState } from "preact/hooks";
import { MessageSquareText, Smile } from "lucide-preact";
import { IconButton } from "../ui/Button.tsx";
import { useLoaded } from "../ui/use_loaded.ts";

/** Buttons for what keys do, too: canned replies and emoji. */
export function ComposerTools({ onInsert }: { onInsert: (text: string) => void }) {
  const [picking, setPicking] = useState(false);
  const picker = useLoaded(picking, () => import("./suggestions/EmojiPicker.tsx"));
  const button = useRef<HTMLSpanElement>(null);
  const close = () => {
    setPicking(false);
    button.current?.querySelector("button")?.focus();
  };
  return (
    <span class="composer-tools">
      <span ref={button}>
        <IconButton
          label="Emoji"
          size="s"
          aria-haspopup="dialog"
          aria-expanded={picking ? "true" : "false"}
          onClick={() => setPicking(!picking)}
        >
          <Smile size={16} />
        </IconButton>
      </span>
      <IconButton label="Canned replies ( / )" size="s" onClick={() => onInsert("/")}>
        <MessageSquareText size={16} />
      </IconButton>
      {picking && picker && (
        <picker.EmojiPicker
          onPick={(emoji) => {
            setPicking(false);
            onInsert(emoji);
          }}
          onClose={close}
        />
      )}
    </span>
  );
}
