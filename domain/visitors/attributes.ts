/** What is known about contacts, and who set it: names, addresses and attributes. */
import type { ContactRow } from "../../db/types.ts";
import {
  type AttributeChanges,
  type ContactAttribute,
  MAX_ATTRIBUTES,
  type Provenance,
} from "../../protocol/contacts.ts";
import { ParleyError } from "../../protocol/errors.ts";

export interface ContactChanges {
  name?: string | undefined;
  email?: string | null | undefined;
  attributes?: AttributeChanges | undefined;
}

/** Who changes a contact. */
export type Setter = Omit<Provenance, "at">;

export const BY_VISITOR: Setter = { source: "visitor", verified: false, by: null };
/** The website's own backend has signed it. */
export const BY_TOKEN: Setter = { source: "token", verified: true, by: null };
export const byAgent = (name: string): Setter => ({ source: "agent", verified: true, by: name });

type Known = Pick<ContactRow, "name" | "email" | "attributes" | "provenance">;

/** Whether the changes are any, so that repeating them writes nothing. */
export function changesAnything(before: Known, changes: ContactChanges, by: Setter): boolean {
  const { name = before.name, email = before.email } = changes;
  return name !== before.name || email !== before.email ||
    Object.keys(effective(before, changes.attributes, by)).length > 0;
}

/**
 * The columns after the changes, with who made them.
 *
 * @throws {ParleyError} `invalid` for more attributes than a contact may have.
 */
export function columnsOf(before: Known, changes: ContactChanges, by: Setter, at = new Date()) {
  const { name = before.name, email = before.email } = changes;
  const now: Provenance = { ...by, at: at.toISOString() };
  const attributes = { ...before.attributes };
  for (const [key, value] of Object.entries(effective(before, changes.attributes, by))) {
    if (value === null) delete attributes[key];
    else attributes[key] = { ...now, value };
  }
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) throw tooMany();
  return {
    name,
    email,
    attributes: JSON.stringify(attributes),
    provenance: JSON.stringify({
      ...before.provenance,
      ...(name === before.name ? {} : { name: now }),
      ...(email === before.email ? {} : { email: now }),
    }),
  };
}

/** The columns of a new contact of a visitor. */
export function firstColumns(
  given: Pick<ContactChanges, "name" | "email" | "attributes">,
) {
  const none = { name: "", email: null, attributes: {}, provenance: {} };
  const { attributes, provenance } = columnsOf(none, given, BY_VISITOR);
  return { attributes, provenance };
}

/** Changes that have an effect. What a visitor's page says replaces nothing that is verified. */
function effective(
  { attributes }: Known,
  changes: AttributeChanges = {},
  by: Setter,
): AttributeChanges {
  return Object.fromEntries(
    Object.entries(changes).filter(([key, value]) => {
      const known = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
      if (known?.verified && !by.verified) return false;
      return value === null ? known !== undefined : known?.value !== value;
    }),
  );
}

/** By name; of several contacts the first one that has it. */
export function attributesOf(contacts: Pick<Known, "attributes">[]): ContactAttribute[] {
  const all = Object.assign({}, ...contacts.map(({ attributes }) => attributes).reverse());
  return Object.entries(all as Known["attributes"])
    .map(([name, attribute]) => ({ name, ...attribute }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

function tooMany(): ParleyError {
  const message = `a contact may have ${MAX_ATTRIBUTES} attributes at most`;
  return new ParleyError("invalid", `Cannot set the attributes: ${message}`, {
    fields: [{ path: "attributes", message }],
  });
}
