import assert from "node:assert/strict";
import { AUDIT_ACTIONS, type AuditEntry } from "../../protocol/audit.ts";
import { auditDetail, auditSentence, GROUP_WORDS } from "./audit.ts";

const ADA = { kind: "user", id: "1", name: "Ada" } as const;

function entry(action: string, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: "0",
    at: "2026-11-30T10:00:00.000Z",
    actor: ADA,
    action,
    subject: { id: "2", name: "Grace" },
    result: "done",
    data: {},
    address: null,
    userAgent: null,
    ...more,
  };
}

Deno.test("every action has its own sentence, and every group a name", () => {
  const actions = Object.values(AUDIT_ACTIONS).flat();
  for (const action of actions) {
    assert.ok(!auditSentence(entry(action)).includes(action), action);
  }
  assert.deepEqual(Object.keys(GROUP_WORDS), Object.keys(AUDIT_ACTIONS));
  assert.equal(auditSentence(entry("later.version")), "Ada: later.version");
});

Deno.test("sentences say who did what to whom", () => {
  const own = { subject: { id: "1", name: "Ada" } };
  const cases: [AuditEntry, string][] = [
    [entry("user.password_changed"), "Ada gave Grace a new password"],
    [entry("user.password_changed", own), "Ada changed their password"],
    [
      entry("sign_in.ended", { data: { reason: "ended", count: 2 } }),
      "Ada ended 2 sign-ins of Grace",
    ],
    [
      entry("sign_in.ended", { ...own, data: { reason: "ended", count: 1 } }),
      "Ada ended one sign-in of their own",
    ],
    [
      entry("sign_in.ended", { data: { reason: "password", count: 3 } }),
      "3 sign-ins of Grace were ended by the new password",
    ],
    [
      entry("user.created", { actor: { kind: "system", id: null, name: null } }),
      "The server added Grace as an agent",
    ],
    [
      entry("widget.deleted", { subject: { id: "3", name: "Shop" } }),
      "Ada deleted the widget “Shop”",
    ],
    [entry("connections.ended", { data: { disconnected: 0 } }), "Ada ended 0 connections"],
  ];
  for (const [one, sentence] of cases) assert.equal(auditSentence(one), sentence);
  const data = { from: [], to: ["https://a.example", "*"], changed: ["allowedOrigins"] };
  assert.equal(auditDetail(entry("widget.updated", { data })), "From none to https://a.example, *");
  assert.equal(
    auditDetail(entry("rule.updated", { data: { changed: ["name"] } })),
    "Changed: name",
  );
  assert.equal(auditDetail(entry("user.enabled")), null);
});
