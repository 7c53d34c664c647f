import { Lock, UsersRound } from "lucide-preact";
import { Writers } from "../writing/Writers.tsx";
import type { ComposerState } from "./use_composer.ts";

/** Reply or note, alone or together with colleagues. */
export function ComposerModes({ composer }: { composer: ComposerState }) {
  const { isPrivate, shared, canShare, writers } = composer;
  return (
    <div class="composer-modes" role="group" aria-label="Kind of message">
      <button
        type="button"
        aria-pressed={isPrivate ? "false" : "true"}
        aria-keyshortcuts="R"
        onClick={() => composer.setMode("reply")}
      >
        Reply
      </button>
      <button
        type="button"
        aria-pressed={isPrivate ? "true" : "false"}
        aria-keyshortcuts="N"
        onClick={() => composer.setMode("note")}
      >
        <Lock size={12} aria-hidden="true" /> Note
      </button>
      {!isPrivate && (
        <>
          {shared !== null && <Writers people={writers} />}
          <button
            type="button"
            class="composer-together"
            aria-pressed={shared !== null ? "true" : "false"}
            aria-disabled={canShare ? undefined : "true"}
            aria-keyshortcuts="W"
            title="Colleagues who have this conversation open can write the reply with you"
            onClick={() => {
              if (shared !== null) void composer.leaveShared();
              else if (canShare) composer.joinShared();
            }}
          >
            <UsersRound size={12} aria-hidden="true" /> Write together
          </button>
        </>
      )}
    </div>
  );
}
