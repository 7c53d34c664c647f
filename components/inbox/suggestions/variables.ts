/** Variables of canned replies: {{contact.firstName}}, or with other words {{contact.name|there}}. */

export interface VariableValues {
  contact: { id: string; name: string; email: string | null };
  agent: { name: string; email: string };
}

/** The variables that there are, with what they stand for. */
export const VARIABLES: { name: string; about: string }[] = [
  { name: "contact.firstName", about: "The contact's first name" },
  { name: "contact.name", about: "The contact's name" },
  { name: "contact.email", about: "The contact's e-mail address" },
  { name: "agent.firstName", about: "Your first name" },
  { name: "agent.name", about: "Your name" },
  { name: "agent.email", about: "Your e-mail address" },
];

const VARIABLE = /\{\{\s*([\w.]+)\s*(?:\|([^{}]*))?\}\}/g;

function valuesOf({ contact, agent }: VariableValues): Record<string, string> {
  // The server names visitors who gave no name, which is no way to address somebody.
  const isNamed = contact.name !== `Visitor ${contact.id.slice(-4)}`;
  const name = isNamed ? contact.name.trim() : "";
  return {
    "contact.name": name,
    "contact.firstname": firstOf(name),
    "contact.email": contact.email ?? "",
    "agent.name": agent.name,
    "agent.firstname": firstOf(agent.name),
    "agent.email": agent.email,
  };
}

const firstOf = (name: string) => name.trim().split(/\s+/)[0] ?? "";

/** The text with the values in it. A variable without a value and without other words stays. */
export function fillIn(text: string, values: VariableValues): string {
  const known = valuesOf(values);
  return text.replace(VARIABLE, (whole, name: string, otherwise: string | undefined) => {
    const value = known[name.toLowerCase()];
    return value || otherwise?.trim() ||
      (otherwise === undefined || value === undefined ? whole : "");
  });
}
