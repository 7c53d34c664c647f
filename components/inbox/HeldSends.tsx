import { useEffect, useState } from "preact/hooks";
import { Undo2 } from "lucide-preact";
import type { HeldSend } from "../live/held_sends.ts";
import { Button } from "../ui/Button.tsx";
import { useInbox } from "./context.ts";

/** Replies of this conversation that are sent in a few seconds, and can be taken back until then. */
export function HeldSends({ held, onUndo }: {
  held: readonly HeldSend[];
  onUndo: (one: HeldSend) => void;
}) {
  const inbox = useInbox();
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [held.length]);
  return (
    <div class="composer-signs">
      {held.map((one) => (
        <div key={one.clientMessageId} class="composer-sign" data-draft="">
          <p>
            <span role="status">Your reply is about to be sent.</span>{" "}
            <span aria-hidden="true">{secondsTo(one.until, now)} s</span>
            <span class="composer-preview truncate" dir="auto">
              {one.content || one.files?.map(({ name }) => name).join(", ")}
            </span>
          </p>
          <Button
            size="s"
            icon={<Undo2 size={14} aria-hidden="true" />}
            aria-keyshortcuts="Control+Z"
            title="Ctrl Z in the empty composer"
            onClick={() => onUndo(one)}
          >
            Undo
          </Button>
          <Button size="s" kind="quiet" onClick={() => void inbox.held.release(one)}>
            Send now
          </Button>
        </div>
      ))}
    </div>
  );
}

function secondsTo(until: number, now: number): number {
  return Math.max(1, Math.ceil((until - now) / 1000));
}
