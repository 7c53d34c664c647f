import type { AuditEntry } from "../../protocol/audit.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** Names of the groups of actions, in the order of the filter. */
export const GROUP_WORDS = {
  sign_ins: "Sign-ins",
  people: "People",
  programs: "API keys",
  widgets: "Widgets",
  settings: "Rules, labels and settings",
  connections: "Ended connections",
  exports: "Exports",
  tokens: "Context tokens",
} as const;

/** The actor, as the beginning of a sentence. */
export function actorWords({ kind, name }: AuditEntry["actor"]): string {
  if (kind === "system") return "The server";
  if (kind === "nobody") return "Somebody";
  return name ?? "A deleted user";
}

const quoted = (name: string | null) => name === null ? "(deleted)" : `“${isolate(name)}”`;
const text = (value: unknown) => isolate(String(value));
const number = (value: unknown) => typeof value === "number" ? value : 1;
const count = (value: unknown, one: string, many: string) =>
  number(value) === 1 ? one : `${number(value)} ${many}`;

const SIMPLE: Record<string, (subject: string) => string> = {
  "user.enabled": (subject) => `enabled ${subject}`,
  "user.disabled": (subject) => `disabled ${subject}`,
  "api_key.created": (subject) => `created the API key ${subject}`,
  "api_key.revoked": (subject) => `revoked the API key ${subject}`,
  "widget.created": (subject) => `created the widget ${subject}`,
  "widget.deleted": (subject) => `deleted the widget ${subject}`,
  "rule.created": (subject) => `created the rule ${subject}`,
  "rule.updated": (subject) => `changed the rule ${subject}`,
  "rule.deleted": (subject) => `deleted the rule ${subject}`,
  "rules.ordered": () => "reordered the rules",
  "channel.created": (subject) => `created the channel ${subject}`,
  "channel.updated": (subject) => `changed the channel ${subject}`,
  "channel.deleted": (subject) => `deleted the channel ${subject}`,
  "label.created": (subject) => `created the label ${subject}`,
  "label.updated": (subject) => `changed the label ${subject}`,
  "label.deleted": (subject) => `deleted the label ${subject}`,
  "team.created": (subject) => `created the team ${subject}`,
  "team.updated": (subject) => `changed the team ${subject}`,
  "team.deleted": (subject) => `deleted the team ${subject}`,
  "canned_response.deleted": (subject) => `deleted the canned reply ${subject}`,
  "canned_responses.managers_changed": () => "changed who manages the canned replies",
  "business_hours.changed": () => "changed the business hours",
  "queue.changed": () => "changed the settings of the queue",
  "audit.exported": () => "downloaded the audit log",
  "contact.erased": () => "erased a contact and all their data",
  "contact.exported": (subject) => `downloaded the data of ${subject}`,
  "contact.merged": (subject) => `merged another contact into ${subject}`,
  "contact.unmerged": (subject) => `undid a merge of ${subject}`,
  "contact.blocked": (subject) => `blocked ${subject}`,
  "contact.unblocked": (subject) => `unblocked ${subject}`,
  "context_token.issued": (subject) => `issued a context token for ${subject}`,
};

/** The action as a sentence without its full stop. */
export function auditSentence(entry: AuditEntry): string {
  const { action, actor, subject, data } = entry;
  const who = actorWords(actor);
  const own = actor.id !== null && actor.id === subject.id;
  const name = isolate(subject.name ?? "a deleted user");
  switch (action) {
    case "sign_in.started":
      return `${name} signed in`;
    case "sign_in.failed":
      return `Somebody failed to sign in as ${name}`;
    case "sign_in.reused":
      return `A copy of a sign-in of ${name} was used, so it was ended`;
    case "sign_in.ended":
      return endedSentence(entry, who, own ? "their own" : name);
    case "user.created":
      return actor.kind === "nobody"
        ? `${name} set Parley up as its first admin`
        : `${who} added ${name} as ${data["role"] === "admin" ? "an admin" : "an agent"}`;
    case "user.role_changed":
      return `${who} made ${own ? "themselves" : name} ${
        data["to"] === "admin" ? "an admin" : "an agent"
      }`;
    case "user.renamed":
      return own
        ? `${text(data["from"])} changed their name to ${text(data["to"])}`
        : `${who} renamed ${text(data["from"])} to ${text(data["to"])}`;
    case "user.password_changed":
      return own ? `${who} changed their password` : `${who} gave ${name} a new password`;
    case "user.password_refused":
      return `${who} entered a wrong password while changing it`;
    case "widget.updated":
      return data["to"] === undefined
        ? `${who} changed the widget ${quoted(subject.name)}`
        : `${who} changed the websites of the widget ${quoted(subject.name)}`;
    case "connections.ended":
      return `${who} ended ${count(data["disconnected"], "one connection", "connections")}`;
    case "analytics.exported":
      return `${who} downloaded figures of ${subject.id}`;
  }
  const rest = SIMPLE[action];
  const isPerson = action.startsWith("user.") || action.startsWith("context_token.");
  return rest === undefined
    ? `${who}: ${action}`
    : `${who} ${rest(isPerson ? name : quoted(subject.name))}`;
}

function endedSentence({ data, subject, actor }: AuditEntry, who: string, whose: string): string {
  const signIns = count(data["count"], "one sign-in", "sign-ins");
  const verb = number(data["count"]) === 1 ? "was" : "were";
  const name = isolate(subject.name ?? "a deleted user");
  switch (data["reason"]) {
    case "signed_out":
      return `${name} signed out`;
    case "password":
      return `${capital(signIns)} of ${name} ${verb} ended by the new password`;
    case "disabled":
      return `${capital(signIns)} of ${name} ${verb} ended with the account`;
    case "too_many":
      return `${capital(signIns)} of ${name} ${verb} ended because of a newer one`;
    default:
      return actor.id === subject.id
        ? `${who} ended ${signIns} of ${whose}`
        : `${who} ended ${signIns} of ${name}`;
  }
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const listed = (value: unknown) =>
  Array.isArray(value) ? (value.length === 0 ? "none" : value.join(", ")) : null;

/** Further details in a few words; null: none. */
export function auditDetail({ action, data }: AuditEntry): string | null {
  if (action === "widget.updated" && data["to"] !== undefined) {
    return `From ${listed(data["from"])} to ${listed(data["to"])}`;
  }
  if (action === "api_key.created") return `Scopes: ${listed(data["scopes"])}`;
  if (action === "sign_in.failed" && typeof data["notListed"] === "number") {
    return `And ${data["notListed"]} more that are not listed`;
  }
  const changed = listed(data["changed"]);
  return changed === null ? null : `Changed: ${changed}`;
}
