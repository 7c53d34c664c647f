import { CornerDownLeft, SendHorizontal } from "lucide-preact";
import { Button } from "../ui/Button.tsx";
import type { ComposerState } from "./use_composer.ts";

/** Characters that are left when the counter appears. */
export const COUNT_FROM = 1_000;

/** Which keys do what, the characters that are left, and the button that sends. */
export function ComposerFoot({ composer }: { composer: ComposerState }) {
  const { isPrivate, shared, left, unavailable, collision } = composer;
  return (
    <div class="composer-foot">
      <span class="composer-hint">
        {shared === null
          ? (
            <>
              <Return /> to {isPrivate ? "save" : "send"},
              <kbd class="kbd">Shift</kbd>
              <Return /> for a new line
            </>
          )
          : (
            <>
              <kbd class="kbd">Ctrl</kbd>
              <Return /> to send,
              <Return /> for a new line
            </>
          )}
      </span>
      {left <= COUNT_FROM && (
        <span class="composer-left" id="composer-left" data-over={left < 0 ? "" : undefined}>
          {left < 0 ? `${-left} characters too many` : `${left} characters left`}
        </span>
      )}
      <Button
        type="submit"
        kind="primary"
        size="s"
        unavailable={unavailable !== null}
        title={unavailable ?? undefined}
        icon={isPrivate ? undefined : <SendHorizontal size={14} aria-hidden="true" />}
      >
        {isPrivate ? "Add note" : collision.isConfirming ? "Send anyway" : "Send"}
      </Button>
    </div>
  );
}

function Return() {
  return (
    <kbd class="kbd">
      <CornerDownLeft size={11} aria-hidden="true" />
      <span class="sr-only">Enter</span>
    </kbd>
  );
}
