import { useRef, useState } from "preact/hooks";
import { Plus, Trash2 } from "lucide-preact";
import type { AttributeChanges, ContactAttribute } from "../../protocol/contacts.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { valueOf, valueWords } from "./words.ts";

interface Line {
  id: number;
  name: string;
  value: string;
}

/** What changes when these lines replace the attributes; a line without a name or value is none. */
export function changesOf(before: ContactAttribute[], lines: Omit<Line, "id">[]): AttributeChanges {
  const filled = lines.map(({ name, value }) => [name.trim(), value.trim()] as const)
    .filter(([name, value]) => name !== "" && value !== "");
  const changes: AttributeChanges = {};
  for (const { name } of before) {
    if (!filled.some(([kept]) => kept === name)) changes[name] = null;
  }
  for (const [name, value] of filled) {
    const known = before.find((one) => one.name === name);
    if (known === undefined || valueWords(known.value) !== value) changes[name] = valueOf(value);
  }
  return changes;
}

export function AttributesForm({ contactId, attributes, onSaved, onClose }: {
  contactId: string;
  attributes: ContactAttribute[];
  onSaved: () => void;
  onClose: () => void;
}) {
  const { request } = useWorkspace();
  const next = useRef(attributes.length);
  const empty = () => ({ id: next.current++, name: "", value: "" });
  const [lines, setLines] = useState<Line[]>(() => [
    ...attributes.map(({ name, value }, id) => ({ id, name, value: valueWords(value) })),
    ...(attributes.length === 0 ? [empty()] : []),
  ]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const change = (id: number, part: Partial<Line>) =>
    setLines(lines.map((line) => line.id === id ? { ...line, ...part } : line));

  const save = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const changes = changesOf(attributes, lines);
    if (Object.keys(changes).length === 0) return onClose();
    setBusy(true);
    setProblem(null);
    try {
      const body = { attributes: changes };
      await request(`/api/contacts/${contactId}`, { method: "PATCH", body });
      onSaved();
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  return (
    <form class="dialog-form" noValidate onSubmit={save}>
      <p class="field-hint">What your team knows, such as a plan or a customer number.</p>
      <ul class="attribute-lines">
        {lines.map(({ id, name, value }, index) => (
          <li key={id}>
            <input
              aria-label={`Name of attribute ${index + 1}`}
              placeholder="Name"
              maxLength={60}
              autocomplete="off"
              dir="auto"
              value={name}
              autofocus={index === lines.length - 1}
              onInput={(event) => change(id, { name: event.currentTarget.value })}
            />
            <input
              aria-label={name === "" ? `Value of attribute ${index + 1}` : `Value of ${name}`}
              placeholder="Value"
              maxLength={500}
              autocomplete="off"
              dir="auto"
              value={value}
              onInput={(event) => change(id, { value: event.currentTarget.value })}
            />
            <IconButton
              label={name === "" ? "Remove" : `Remove ${name}`}
              tipAt="start"
              onClick={() => setLines(lines.filter((line) => line.id !== id))}
            >
              <Trash2 size={16} />
            </IconButton>
          </li>
        ))}
      </ul>
      <div>
        <Button
          size="s"
          kind="quiet"
          icon={<Plus size={14} aria-hidden="true" />}
          onClick={() => setLines([...lines, empty()])}
        >
          Add another
        </Button>
      </div>
      <div aria-live="assertive">{problem && <Notice>{problem}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>Save</Button>
      </div>
    </form>
  );
}
