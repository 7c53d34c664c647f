import { TriangleAlert } from "lucide-preact";
import { namesOf } from "../format/names.ts";
import { Button } from "../ui/Button.tsx";
import { TypingDots } from "../ui/TypingDots.tsx";
import { AvatarStack } from "../writing/Writers.tsx";
import { useInbox } from "./context.ts";

/** Characters of a shared draft in the preview for those who have not joined it: the newest. */
const PREVIEW = 120;

export interface ComposerSignsProps {
  /** This agent writes in the shared draft. */
  sharing: boolean;
  /** The shared draft changed at the moment it was sent. */
  changed: boolean;
  /** The colleague who replied while this agent was writing. */
  collisionWith: string | null;
  /** A variable of a canned reply that would be sent as it is. */
  unfilled: string | null;
  onJoin: () => void;
}

/** What colleagues do in this conversation that may interfere with a reply. */
export function ComposerSigns(
  { sharing, changed, collisionWith, unfilled, onJoin }: ComposerSignsProps,
) {
  const inbox = useInbox();
  const { draft } = inbox;
  const writers = draft.writers.value;
  const inDraft = new Set(writers.map(({ userId }) => userId));
  const typing = inbox.thread.snapshot.value.typing.filter(({ role }) => role === "agent");
  const replying = typing.filter(({ isPrivate, userId }) => !isPrivate && !inDraft.has(userId));
  const noting = typing.filter(({ isPrivate }) => isPrivate);
  const text = draft.shared.value?.text.value.trim() ?? "";
  return (
    <div class="composer-signs" role="status">
      {collisionWith && (
        <p class="composer-sign" data-tone="warn">
          <TriangleAlert size={14} aria-hidden="true" />
          <span>
            <b>{collisionWith}</b> replied while you were writing. Read it before you send yours.
          </span>
        </p>
      )}
      {unfilled && (
        <p class="composer-sign" data-tone="warn">
          <TriangleAlert size={14} aria-hidden="true" />
          <span>
            <b>{unfilled}</b> has no value here. Replace it before you send.
          </span>
        </p>
      )}
      {changed && (
        <p class="composer-sign" data-tone="warn">
          <TriangleAlert size={14} aria-hidden="true" />
          <span>The reply changed as you sent it. Read it again, then send.</span>
        </p>
      )}
      {replying.length > 0 && (
        <p class="composer-sign">
          <TypingDots />
          <span>
            <b>{namesOf(replying)}</b> {replying.length === 1 ? "is" : "are"} replying
          </span>
        </p>
      )}
      {noting.length > 0 && (
        <p class="composer-sign">
          <TypingDots />
          <span>
            <b>{namesOf(noting)}</b> {noting.length === 1 ? "is" : "are"} writing a note
          </span>
        </p>
      )}
      {!sharing && draft.isThere.value && (
        <div class="composer-sign" data-draft="">
          <AvatarStack people={writers} />
          <p>
            {writers.length === 0 ? <span>A shared reply is open</span> : (
              <span>
                <b>{namesOf(writers)}</b>{" "}
                {writers.length === 1 ? "is writing a reply" : "are writing a reply"}{" "}
                that you can join
              </span>
            )}
            {text && (
              <span class="composer-preview truncate" dir="auto" aria-hidden="true">
                {text.length > PREVIEW ? `…${text.slice(-PREVIEW)}` : text}
              </span>
            )}
          </p>
          <Button size="s" onClick={onJoin}>{writers.length === 0 ? "Open" : "Join"}</Button>
        </div>
      )}
    </div>
  );
}
