import { useRef, useState } from "preact/hooks";
import { Mail, Pencil } from "lucide-preact";
import type { Contact, Presence } from "../../protocol/model.ts";
import { contactName } from "../format/names.ts";
import { formErrors, NO_ERRORS } from "../auth/form_state.ts";
import { Avatar } from "../ui/Avatar.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";

export interface ContactEdit {
  name: string;
  email: string | null;
}

interface CardProps {
  contact: Contact;
  status: Presence["status"];
  /** Rejects with an ApiError, which the form shows. */
  onSave: (id: string, edit: ContactEdit) => Promise<void>;
}

/** The contact's name and address, which can be edited in place. */
export function ContactCard({ contact, status, onSave }: CardProps) {
  const [editing, setEditing] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const done = () => {
    setEditing(false);
    requestAnimationFrame(() => pencil.current?.focus());
  };
  if (editing) return <ContactForm contact={contact} onSave={onSave} onDone={done} />;
  return (
    <section class="contact-card" aria-label="Contact">
      <Avatar id={contact.id} name={contactName(contact)} size="l" presence={status} />
      <div class="contact-name">
        <h3 dir="auto">{contactName(contact)}</h3>
        <IconButton
          label="Edit contact"
          size="s"
          tipAt="start"
          buttonRef={pencil}
          onClick={() => setEditing(true)}
        >
          <Pencil size={14} />
        </IconButton>
      </div>
      {contact.email
        ? (
          <a class="contact-mail" href={`mailto:${contact.email}`}>
            <Mail size={14} aria-hidden="true" />
            <span dir="auto">{contact.email}</span>
          </a>
        )
        : <p class="contact-none">No e-mail address</p>}
    </section>
  );
}

function ContactForm({ contact, onSave, onDone }: Pick<CardProps, "contact" | "onSave"> & {
  onDone: () => void;
}) {
  const [name, setName] = useState(contact.name);
  const [email, setEmail] = useState(contact.email ?? "");
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState(NO_ERRORS);
  const first = useRef(true);

  const save = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (name.trim() === "") {
      return setErrors({ fields: { name: "Enter a name." }, form: null });
    }
    const body = { name: name.trim(), email: email.trim() === "" ? null : email.trim() };
    setBusy(true);
    try {
      await onSave(contact.id, body);
      onDone();
    } catch (error) {
      setErrors(formErrors(error, ["name", "email"]));
      setBusy(false);
    }
  };
  return (
    <form
      class="contact-form"
      aria-label="Edit contact"
      noValidate
      onSubmit={save}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onDone();
      }}
    >
      <Field
        id="contact-name"
        label="Name"
        value={name}
        maxLength={100}
        autocomplete="off"
        error={errors.fields.name}
        inputRef={(input) => {
          if (!first.current || input === null) return;
          first.current = false;
          input.select();
        }}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <Field
        id="contact-email"
        label="E-mail"
        type="text"
        inputMode="email"
        value={email}
        maxLength={254}
        autocomplete="off"
        error={errors.fields.email}
        onInput={(event) => setEmail(event.currentTarget.value)}
      />
      {errors.form && <p class="notice" role="alert">{errors.form}</p>}
      <div>
        <Button type="submit" kind="primary" size="s" busy={busy}>Save</Button>
        <Button size="s" kind="quiet" onClick={onDone}>Cancel</Button>
      </div>
    </form>
  );
}
