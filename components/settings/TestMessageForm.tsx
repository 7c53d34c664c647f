import { useState } from "preact/hooks";
import { SendHorizontal } from "lucide-preact";
import { errorText } from "../live/api.ts";
import { MAX_CONTENT } from "../live/limits.ts";
import { msWords } from "../playground/words.ts";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";
import { Switch } from "../ui/Switch.tsx";
import type { WebSocketModel } from "./websocket_model.ts";

/** Sends a message to a subscribed conversation and measures its round trip. */
export function TestMessageForm({ model }: { model: WebSocketModel }) {
  const list = model.subscriptions.value;
  const [chosen, setChosen] = useState<string | null>(null);
  const [text, setText] = useState("A test message");
  // By default the test is a private note, which the customer does not see.
  const [isPrivate, setPrivate] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [result, setResult] = useState("");
  const target = list.find(({ id }) => id === chosen)?.id ?? list[0]?.id;
  const send = async () => {
    if (target === undefined || text.trim() === "" || busy) return;
    setBusy(true);
    setProblem(null);
    setResult("");
    try {
      const ms = await model.sendTest(target, text, isPrivate);
      setResult(
        ms === null
          ? "Stored, but no event arrived within 5 seconds."
          : `Stored; its event arrived after ${msWords(ms)}.`,
      );
    } catch (error) {
      setProblem(errorText(error));
    } finally {
      setBusy(false);
    }
  };
  if (target === undefined) {
    return <p class="field-hint">Subscribe to a conversation first.</p>;
  }
  return (
    <form
      class="small-form"
      aria-label="Test message"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Select
        id="test-target"
        label="Into"
        value={target}
        options={list.map(({ id, name }) => ({ value: id, label: name ?? id }))}
        onChange={setChosen}
      />
      <Field
        id="test-text"
        name="text"
        label="Text"
        autocomplete="off"
        maxLength={MAX_CONTENT}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Switch
        id="test-private"
        label="As a private note"
        hint={isPrivate ? "Only your team sees it." : "The customer sees it."}
        checked={isPrivate}
        onChange={setPrivate}
      />
      <div aria-live="assertive">{problem && <Notice>{problem}</Notice>}</div>
      <div class="test-send">
        <Button
          type="submit"
          busy={busy}
          unavailable={text.trim() === ""}
          icon={<SendHorizontal size={16} aria-hidden="true" />}
        >
          Send
        </Button>
        <p role="status">{result}</p>
      </div>
    </form>
  );
}
