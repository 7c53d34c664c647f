import type { ComponentChildren } from "preact";
import { Check, ChevronDown, CornerDownLeft, SendHorizontal } from "lucide-preact";
import { Button } from "../ui/Button.tsx";
import { Menu, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { SnoozeItems } from "./SnoozeItems.tsx";
import type { ComposerState } from "./use_composer.ts";

/** Characters that are left when the counter appears. */
export const COUNT_FROM = 1_000;

/** Which keys do what, the characters that are left, and the button that sends. */
export function ComposerFoot({ composer, tools }: {
  composer: ComposerState;
  /** Buttons before it. */
  tools: ComponentChildren;
}) {
  const { isPrivate, shared, left, unavailable, collision, unfilled } = composer;
  const isConfirming = unfilled.isConfirming || (!isPrivate && collision.isConfirming);
  return (
    <div class="composer-foot">
      {tools}
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
      <div class="split">
        <Button
          type="submit"
          kind="primary"
          size="s"
          unavailable={unavailable !== null}
          title={unavailable ?? undefined}
          icon={isPrivate ? undefined : <SendHorizontal size={14} aria-hidden="true" />}
        >
          {isConfirming
            ? isPrivate ? "Add anyway" : "Send anyway"
            : isPrivate
            ? "Add note"
            : "Send"}
        </Button>
        {unavailable === null && <SendAnd composer={composer} />}
      </div>
    </div>
  );
}

/** Sends, and takes the conversation out of the queue. */
function SendAnd({ composer }: { composer: ComposerState }) {
  const what = composer.isPrivate ? "Add note" : "Send";
  return (
    <Menu
      label={`${what} and …`}
      align="end"
      side="top"
      trigger={(props) => (
        <button
          type="button"
          class="button"
          data-kind="primary"
          data-size="s"
          aria-label={`${what} and resolve or snooze`}
          {...props}
        >
          <ChevronDown size={14} aria-hidden="true" />
        </button>
      )}
    >
      {(close) => (
        <>
          <MenuItem
            icon={<Check size={16} />}
            note="Ctrl Shift Enter"
            onSelect={() => {
              close();
              composer.sendAndResolve();
            }}
          >
            {what} and resolve
          </MenuItem>
          <MenuLine />
          <SnoozeItems
            heading={`${what} and snooze until`}
            close={close}
            onChoose={composer.sendAndSnooze}
          />
        </>
      )}
    </Menu>
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
