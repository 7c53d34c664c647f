import "../../styles/canned_rows.css";
import { useEffect } from "preact/hooks";
import { UserRound, Zap } from "lucide-preact";
import type { CannedResponse } from "../../../protocol/canned_responses.ts";
import { errorText } from "../../live/api.ts";
import { useInbox } from "../context.ts";
import { replaceTrigger } from "../triggers.ts";
import { findCanned, macroWords, sentenceOf } from "./canned.ts";
import { canned, cannedProblem, refreshCanned } from "./canned_store.ts";
import { OptionList } from "./OptionList.tsx";
import type { SuggestionsProps } from "./props.ts";
import { fillIn } from "./variables.ts";

const SHOWN = 20;
const MANAGE = "/settings/canned-replies";

/** Canned replies and macros that have what is written after "/". */
export function CannedList(props: SuggestionsProps) {
  const inbox = useInbox();
  const { trigger, text, onPut, onMacro } = props;
  const all = canned.value;
  const conversation = inbox.selected.value;
  useEffect(() => void refreshCanned(inbox.request), []);

  function take({ content, actions }: CannedResponse) {
    if (conversation === null) return;
    const { contact } = conversation;
    const filled = fillIn(content, { contact, agent: inbox.me.value });
    const next = replaceTrigger(text(), trigger, filled);
    onPut(next.text, next.caret);
    if (actions === null) return;
    if (content.trim() === "") void inbox.runMacro(conversation.id, actions);
    else onMacro(actions);
  }
  const found = all === null ? [] : findCanned(all, trigger.text, SHOWN);
  const options = found.map((item) => ({
    key: item.id,
    content: <Row item={item} />,
    take: () => take(item),
  }));
  const note = all === null
    ? cannedProblem.value === null ? "Loading canned replies…" : errorText(cannedProblem.value)
    : all.length === 0
    ? "No canned replies yet."
    : found.length === 0 && trigger.text !== ""
    ? `No canned reply has “${trigger.text}”.`
    : null;
  return (
    <OptionList {...props} label="Canned replies" options={options}>
      <p class="suggestions-foot">
        <span role="status">{note}</span>
        <a href={MANAGE}>Manage canned replies</a>
      </p>
    </OptionList>
  );
}

function Row({ item }: { item: CannedResponse }) {
  const inbox = useInbox();
  const { shortCode, folder, content, actions, shared } = item;
  const does = actions === null ? [] : macroWords(
    actions,
    inbox.labels.all.value,
    inbox.users.value,
    inbox.user.id,
    inbox.teams.value,
  );
  return (
    <span class="suggestion">
      <span class="suggestion-head">
        <b>/{shortCode}</b>
        {folder && <span class="suggestion-folder">{folder}</span>}
        {!shared && (
          <span class="suggestion-own">
            <UserRound size={12} aria-hidden="true" /> Only you
          </span>
        )}
      </span>
      {content && <span class="suggestion-text" dir="auto">{content}</span>}
      {does.length > 0 && (
        <span class="suggestion-does">
          <Zap size={12} aria-hidden="true" /> {sentenceOf(does)}
        </span>
      )}
    </span>
  );
}
