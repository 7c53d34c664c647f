import { useLayoutEffect, useRef } from "preact/hooks";
import { autosize } from "../ui/autosize.ts";
import { SharedArea } from "../writing/SharedArea.tsx";
import { ComposerFoot, COUNT_FROM } from "./ComposerFoot.tsx";
import { ComposerModes } from "./ComposerModes.tsx";
import { ComposerSigns } from "./ComposerSigns.tsx";
import { useMentions } from "./Mentions.tsx";
import { OtherDevice } from "./OtherDevice.tsx";
import { useComposer } from "./use_composer.ts";

export function Composer({ id }: { id: string }) {
  const box = useRef<HTMLTextAreaElement>(null);
  const composer = useComposer(id, box);
  const { isPrivate, shared, contact, left, text } = composer;
  const mentions = useMentions(box, isPrivate, composer.change);
  useLayoutEffect(() => autosize(box.current), [text]);

  function onKeyDown(event: KeyboardEvent) {
    // During IME composition Enter selects a candidate. Safari reports that by key code 229 only.
    if (event.isComposing || event.keyCode === 229) return;
    if (mentions.onKeyDown(event)) return;
    if (event.key === "Enter" && event.shiftKey && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return composer.sendAndResolve();
    }
    const sends = shared === null ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && sends) {
      event.preventDefault();
      composer.send();
    } else if (event.key === "Escape") box.current?.blur();
  }
  const area = {
    id: "composer",
    rows: 1,
    "aria-label": isPrivate ? "Note that only your team sees" : `Reply to ${contact}`,
    "aria-describedby": left <= COUNT_FROM ? "composer-left" : undefined,
    "aria-invalid": left < 0 ? "true" as const : undefined,
    onKeyDown,
  };

  return (
    <form
      class="composer"
      data-note={isPrivate ? "" : undefined}
      aria-label={isPrivate ? "Private note" : "Reply"}
      onSubmit={(event) => {
        event.preventDefault();
        composer.send();
      }}
    >
      <ComposerSigns
        sharing={shared !== null}
        changed={composer.changed}
        collisionWith={isPrivate ? null : composer.collision.author}
        onJoin={composer.joinShared}
      />
      {composer.other && <OtherDevice other={composer.other} onChoose={composer.chooseText} />}
      {mentions.list}
      <div class="composer-box">
        <ComposerModes composer={composer} />
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
                ? "Write a note that only your team sees"
                : `Reply to ${contact}`}
              enterkeyhint="send"
              {...mentions.aria}
              onInput={(event) => {
                composer.change(event.currentTarget.value);
                mentions.look();
              }}
              onSelect={mentions.look}
              onBlur={() => {
                mentions.close();
                composer.stopTyping();
              }}
            />
          )}
        <ComposerFoot composer={composer} />
      </div>
    </form>
  );
}
