import { useRef, useState } from "preact/hooks";
import { Clock, MessageSquareText, Smile } from "lucide-preact";
import { IconButton } from "../ui/Button.tsx";
import { useLoaded } from "../ui/use_loaded.ts";
import type { ComposerState } from "./use_composer.ts";

/** Buttons for emoji and canned replies, which keys do, too, and for a reply that is sent later. */
export function ComposerTools({ composer, onInsert }: {
  composer: ComposerState;
  onInsert: (text: string) => void;
}) {
  const [asking, setAsking] = useState(false);
  const later = useLoaded(asking, () => import("./later/SendLater.tsx"));
  const { isPrivate, hasFiles, unfilled } = composer;
  const canWait = composer.unavailable === null && !hasFiles;
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
          shortcut="M"
          size="s"
          aria-haspopup="dialog"
          aria-expanded={picking ? "true" : "false"}
          onClick={() => setPicking(!picking)}
        >
          <Smile size={16} />
        </IconButton>
      </span>
      <IconButton label="Canned replies ( / )" shortcut="C" size="s" onClick={() => onInsert("/")}>
        <MessageSquareText size={16} />
      </IconButton>
      {!isPrivate && (
        <IconButton
          label={hasFiles ? "A reply with files cannot be sent later" : "Send later"}
          shortcut="T"
          size="s"
          aria-haspopup="dialog"
          aria-disabled={canWait ? undefined : "true"}
          onClick={() => {
            if (canWait && !unfilled.blocks()) setAsking(true);
          }}
        >
          <Clock size={16} />
        </IconButton>
      )}
      {asking && later && (
        <later.SendLater
          hasMacro={composer.macro !== null}
          onSchedule={async (sendAt) => {
            await composer.sendLater(sendAt);
            setAsking(false);
          }}
          onClose={() => setAsking(false)}
        />
      )}
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
