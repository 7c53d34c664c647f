import { X, Zap } from "lucide-preact";
import type { MacroActions } from "../../../protocol/canned_responses.ts";
import { useInbox } from "../context.ts";
import { macroWords } from "./canned.ts";

/** What a macro does as soon as the text in the composer is sent. */
export function MacroChips({ actions, onDrop }: { actions: MacroActions; onDrop: () => void }) {
  const { labels, users, teams, user } = useInbox();
  const words = macroWords(actions, labels.all.value, users.value, user.id, teams.value);
  return (
    <div class="composer-macro" role="group" aria-label="When sent">
      <Zap size={12} aria-hidden="true" />
      <span>When sent: {words.join(", ")}</span>
      <button type="button" aria-label="Send without these changes" onClick={onDrop}>
        <X size={14} aria-hidden="true" />
      </button>
    </div>
  );
}
