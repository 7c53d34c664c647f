import { useState } from "preact/hooks";
import { Check, X } from "lucide-preact";
import type { ContextRule } from "../../protocol/model.ts";
import { holds } from "../../protocol/rule_match.ts";
import { Field } from "../ui/Field.tsx";
import { conditionsOf, type RuleDraft, wordsOf } from "./draft.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** Whether the drafted rule would reply, decided by the functions that the server uses. */
export function TryRule({ draft, own, rules }: {
  draft: RuleDraft;
  own: ContextRule | null;
  rules: ContextRule[];
}) {
  const [url, setUrl] = useState("");
  const [message, setMessage] = useState("");
  const cause = {
    url: url.trim() === "" ? null : url.trim(),
    message: message.trim() === "" ? null : message,
  };
  const fits = holds(conditionsOf(draft), cause);
  const place = own === null ? rules.length : rules.findIndex(({ id }) => id === own.id);
  const before = rules.slice(0, Math.max(0, place))
    .find(({ enabled, conditions }) => enabled && holds(conditions, cause));
  const asked = cause.url !== null || cause.message !== null;
  const answer = !asked
    ? null
    : fits && before !== undefined
    ? `It matches, but “${isolate(before.name)}” comes first and replies instead.`
    : fits
    ? "The bot would say this."
    : wordsOf(draft).length > 0 && cause.message === null
    ? "It does not match: this rule waits for a message."
    : wordsOf(draft).length === 0 && cause.message !== null
    ? "It does not match: this rule replies when somebody visits the page, not to a message."
    : "It does not match.";
  return (
    <details class="rule-try">
      <summary>Try it</summary>
      <div class="rule-try-fields">
        <Field
          id="try-url"
          label="On the page"
          placeholder="https://www.example.com/pricing"
          inputMode="url"
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          maxLength={2048}
          value={url}
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
        <Field
          id="try-message"
          label="The visitor writes"
          placeholder="Nothing yet"
          autocomplete="off"
          maxLength={2000}
          value={message}
          onInput={(event) => setMessage(event.currentTarget.value)}
        />
      </div>
      <p role="status" class="rule-try-answer" data-fits={asked ? String(fits) : undefined}>
        {answer !== null && (fits && before === undefined
          ? <Check size={16} aria-hidden="true" />
          : <X size={16} aria-hidden="true" />)}
        {answer ?? "Enter a page or a message; nothing is sent."}
      </p>
    </details>
  );
}
