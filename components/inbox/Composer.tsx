import { useLayoutEffect, useRef } from "preact/hooks";
import { autosize } from "../ui/autosize.ts";
import { useLoaded } from "../ui/use_loaded.ts";
import { SharedArea } from "../writing/SharedArea.tsx";
import { AttachButtons } from "../files/AttachButtons.tsx";
import { lazily } from "../files/lazily.tsx";
import { useAttachments } from "../files/use_attachments.ts";
import { ComposerFoot, COUNT_FROM } from "./ComposerFoot.tsx";
import { ComposerModes } from "./ComposerModes.tsx";
import { ComposerSigns } from "./ComposerSigns.tsx";
import { ComposerTools } from "./ComposerTools.tsx";
import { useInbox } from "./context.ts";
import { markSelection } from "./mark_selection.ts";
import { OtherDevice } from "./OtherDevice.tsx";
import type { SuggestionKind } from "./triggers.ts";
import { useComposer } from "./use_composer.ts";
import { useSuggestions } from "./use_suggestions.tsx";

const IN_NOTES: SuggestionKind[] = ["mention", "canned", "emoji"];
const IN_REPLIES: SuggestionKind[] = ["canned", "emoji"];
const NONE: SuggestionKind[] = [];

const AttachmentBar = lazily(async () =>
  (await import("../files/AttachmentBar.tsx")).AttachmentBar
);

const ReplyBar = lazily(async () => (await import("./actions/ReplyBar.tsx")).ReplyBar);

export function Composer({ id }: { id: string }) {
  const box = useRef<HTMLTextAreaElement>(null);
  const { preferences, messages } = useInbox();
  const files = useAttachments(id);
  const composer = useComposer(id, box, files);
  const { isPrivate, shared, contact, left, text } = composer;
  const suggestions = useSuggestions(box, {
    kinds: shared === null ? isPrivate ? IN_NOTES : IN_REPLIES : NONE,
    change: composer.change,
    onMacro: composer.changeMacro,
  });
  const macroParts = useLoaded(
    composer.macro !== null,
    () => import("./suggestions/MacroChips.tsx"),
  );
  const heldParts = useLoaded(
    preferences.value.undoSendSeconds > 0 || composer.held.length > 0,
    () => import("./HeldSends.tsx"),
  );
  const scheduledParts = useLoaded(
    composer.scheduled.length > 0,
    () => import("./later/ScheduledMessages.tsx"),
  );
  const replied = messages.replied(isPrivate);
  useLayoutEffect(() => autosize(box.current), [text]);

  function onKeyDown(event: KeyboardEvent) {
    // During IME composition Enter selects a candidate. Safari reports that by key code 229 only.
    if (event.isComposing || event.keyCode === 229) return;
    if (suggestions.onKeyDown(event) || markSelection(event)) return;
    const last = composer.held.at(-1);
    if (last && text === "" && event.key === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      composer.undoSend(last);
      return;
    }
    if (event.key === "ArrowUp" && text === "" && messages.editLast()) {
      return event.preventDefault();
    }
    if (event.key === "Enter" && event.shiftKey && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return composer.sendAndResolve();
    }
    const sends = shared === null ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && sends) {
      event.preventDefault();
      composer.send();
    } else if (event.key === "Escape") {
      if (replied) messages.replyingTo.value = null;
      else box.current?.blur();
    }
  }
  const area = {
    id: "composer",
    rows: 1,
    "aria-label": isPrivate ? "Note only your team can see" : `Reply to ${contact}`,
    "aria-describedby": left <= COUNT_FROM ? "composer-left" : undefined,
    "aria-invalid": left < 0 ? "true" as const : undefined,
    onKeyDown,
  };

  return (
    <form
      class="composer"
      data-note={isPrivate ? "" : undefined}
      data-drop={files.isOver ? "" : undefined}
      aria-label={isPrivate ? "Private note" : "Reply"}
      {...files.handlers(isPrivate)}
      onSubmit={(event) => {
        event.preventDefault();
        composer.send();
      }}
    >
      {composer.held.length > 0 && heldParts && (
        <heldParts.HeldSends held={composer.held} onUndo={composer.undoSend} />
      )}
      {composer.scheduled.length > 0 && scheduledParts && (
        <scheduledParts.ScheduledMessages items={composer.scheduled} onEdit={composer.giveBack} />
      )}
      <ComposerSigns
        sharing={shared !== null}
        changed={composer.changed}
        collisionWith={isPrivate ? null : composer.collision.author}
        unfilled={composer.unfilled.isConfirming ? composer.unfilled.variable : null}
        onJoin={composer.joinShared}
      />
      {composer.other && <OtherDevice other={composer.other} onChoose={composer.chooseText} />}
      {suggestions.list}
      <div class="composer-box">
        <ComposerModes composer={composer} />
        {replied && <ReplyBar message={replied} />}
        {shared !== null
          ? (
            <SharedArea
              {...area}
              key="shared"
              shared={shared}
              areaRef={box}
              placeholder={`Reply to ${contact}, together`}
              onInput={(event) => composer.edited(event.currentTarget.value)}
              onBlur={composer.stopTyping}
            />
          )
          : (
            <textarea
              {...area}
              dir="auto"
              key="own"
              ref={box}
              value={composer.own}
              placeholder={isPrivate
                ? "Write a note only your team can see"
                : `Reply to ${contact}`}
              enterkeyhint="send"
              {...suggestions.aria}
              onInput={(event) => {
                composer.change(event.currentTarget.value);
                suggestions.look();
              }}
              onSelect={suggestions.look}
              onBlur={() => {
                suggestions.close();
                composer.stopTyping();
              }}
            />
          )}
        {files.list(isPrivate).length > 0 && <AttachmentBar files={files} isPrivate={isPrivate} />}
        {composer.macro && macroParts && (
          <macroParts.MacroChips
            actions={composer.macro}
            onDrop={() => composer.changeMacro(null)}
          />
        )}
        <ComposerFoot
          composer={composer}
          tools={
            <>
              <AttachButtons files={files} isPrivate={isPrivate} />
              {shared === null && (
                <ComposerTools composer={composer} onInsert={suggestions.insert} />
              )}
            </>
          }
        />
      </div>
    </form>
  );
}
