import { MonitorSmartphone } from "lucide-preact";
import type { Draft } from "../../protocol/drafts.ts";
import { Button } from "../ui/Button.tsx";

/** Asks which of two texts to keep that the agent wrote on two devices at the same time. */
export function OtherDevice({ other, onChoose }: {
  other: Draft;
  onChoose: (choice: "this" | "other" | "both") => void;
}) {
  return (
    <div class="composer-signs" role="status">
      <div class="composer-sign" data-tone="warn" data-choice="">
        <MonitorSmartphone size={14} aria-hidden="true" />
        <p>
          <span>You wrote something else on another device:</span>
          <span class="composer-preview truncate" dir="auto">{other.content}</span>
        </p>
        <span class="composer-choice">
          <Button size="s" onClick={() => onChoose("both")}>Keep both</Button>
          <Button size="s" kind="quiet" onClick={() => onChoose("other")}>Use that</Button>
          <Button size="s" kind="quiet" onClick={() => onChoose("this")}>Keep this</Button>
        </span>
      </div>
    </div>
  );
}
