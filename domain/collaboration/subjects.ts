/** Ids of shared documents, and who may open them. */
import { createHash } from "node:crypto";
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { contextFor } from "../conversations/contexts.ts";
import type { Principal } from "../principal.ts";
import type { Subject } from "./types.ts";

export type { Subject };

/** Stands for the whole workspace where a context is expected; names of contexts are never empty. */
export const WORKSPACE = "";

export function subjectId(subject: Subject): string {
  if (subject.kind !== "context") return subject.id;
  return JSON.stringify([subject.contextId, subject.sessionId]);
}

/**
 * The id of a subject's document, derived from the subject (a UUID of version 8, RFC 9562 5.8), so
 * that opening a document stores nothing.
 */
export function documentId(subject: Subject): string {
  const hash = createHash("sha256").update(`${subject.kind}\n${subjectId(subject)}`).digest();
  hash[6] = hash[6]! & 0x0f | 0x80;
  hash[8] = hash[8]! & 0x3f | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * Drafts of replies and notes on contacts are for agents; a session of a context is for all who may
 * enter the context.
 *
 * @throws {ParleyError} `forbidden`.
 */
export function checkAccess(principal: Principal, subject: Subject): void {
  const ofWorkspace = subject.kind === "context" && subject.contextId === WORKSPACE;
  if (subject.kind === "context" && !ofWorkspace) contextFor(principal, subject.contextId);
  else if (principal.kind !== "agent") {
    throw new ParleyError("forbidden", "Cannot open the document: only agents can");
  }
}

/** @throws {ParleyError} `not_found` where the conversation or contact does not exist. */
export async function checkExists(db: Db, subject: Subject): Promise<void> {
  if (subject.kind === "context") return;
  const { kind, id } = subject;
  const table = kind === "conversation" ? "conversations" : "contacts";
  const row = await db.selectFrom(table).select("id").where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw new ParleyError("not_found", `Cannot find the ${kind} "${id}"`);
}

/** The subject of a stored document, the inverse of `subjectId`. */
export function subjectOf(kind: Subject["kind"], id: string): Subject {
  if (kind !== "context") return { kind, id };
  const [contextId, sessionId] = JSON.parse(id) as [string, string];
  return { kind, contextId, sessionId };
}
