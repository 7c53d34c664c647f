import { useState } from "preact/hooks";
import { Rss, X } from "lucide-preact";
import type { Conversation } from "../../protocol/model.ts";
import { contactName } from "../format/names.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Select } from "../ui/Select.tsx";
import type { WebSocketModel } from "./websocket_model.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PASTE = "paste";
const MAX_LABEL = 60;

function labelOf({ contact, lastMessage }: Conversation): string {
  const name = contactName(contact);
  const label = lastMessage === null ? name : `${name}: ${lastMessage.preview}`;
  return label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL - 1)}…` : label;
}

/** Subscribes to one of the latest conversations, or to any by its id. */
export function SubscribeForm({ model, latest }: {
  model: WebSocketModel;
  latest: readonly Conversation[];
}) {
  const [chosen, setChosen] = useState(latest[0]?.id ?? PASTE);
  const [pasted, setPasted] = useState("");
  const [error, setError] = useState<string>();
  const subscribe = () => {
    const id = (chosen === PASTE ? pasted.trim() : chosen).toLowerCase();
    if (!UUID.test(id)) return setError("Enter the id of a conversation; it is a UUID.");
    setError(undefined);
    const contact = latest.find((one) => one.id === id)?.contact;
    model.subscribe(id, contact === undefined ? null : contactName(contact));
  };
  return (
    <form
      class="small-form"
      aria-label="Subscribe"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        subscribe();
      }}
    >
      <Select
        id="subscribe-to"
        label="Conversation"
        value={chosen}
        options={[
          ...latest.map((one) => ({ value: one.id, label: labelOf(one) })),
          { value: PASTE, label: "Another one, by its id" },
        ]}
        onChange={(value) => {
          setChosen(value);
          setError(undefined);
        }}
      />
      {chosen === PASTE && (
        <Field
          id="subscribe-id"
          name="id"
          label="Id of the conversation"
          hint="The last part of its address in the inbox."
          class="mono"
          autocomplete="off"
          spellcheck={false}
          maxLength={36}
          value={pasted}
          error={error}
          onInput={(event) => setPasted(event.currentTarget.value)}
        />
      )}
      <div>
        <Button type="submit" icon={<Rss size={16} aria-hidden="true" />}>Subscribe</Button>
      </div>
    </form>
  );
}

/** The subscriptions, and buttons to end them. */
export function Subscriptions({ model }: { model: WebSocketModel }) {
  const list = model.subscriptions.value;
  if (list.length === 0) return null;
  return (
    <ul class="cards" aria-label="Subscriptions">
      {list.map(({ id, name, events }) => (
        <li key={id}>
          <div class="card">
            <span class="card-words">
              <strong dir="auto">{name ?? "Conversation"}</strong>
              <span class="mono">{id}</span>
            </span>
            <span class="tabular subscription-count">
              {events === 1 ? "1 event" : `${events} events`}
            </span>
            <IconButton
              label={`Unsubscribe from ${name ?? id}`}
              tipAt="start"
              onClick={() => model.unsubscribe(id)}
            >
              <X size={16} />
            </IconButton>
          </div>
        </li>
      ))}
    </ul>
  );
}
