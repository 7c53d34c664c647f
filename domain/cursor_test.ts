import assert from "node:assert/strict";
import { ParleyError } from "../protocol/errors.ts";
import { cutPage, idOfCursor, timeOfCursor, toCursor } from "./cursor.ts";

const ID = "01a1feac-78a5-7000-9af4-baca9e20e017";
const AT = "2026-11-20T12:54:22.478123Z";

Deno.test("a cursor keeps every digit of its place", () => {
  const cursor = toCursor({ at: AT, id: ID });
  assert.match(cursor, /^[\w-]+$/, "it needs no escaping in an address");
  assert.deepEqual(timeOfCursor(cursor), { at: AT, id: ID });
  assert.equal(idOfCursor(toCursor(ID)), ID);
  assert.equal(timeOfCursor(undefined), undefined);
  assert.equal(idOfCursor(undefined), undefined);
});

Deno.test("cursors of older versions still work", () => {
  const old = (text: string) => btoa(text).replaceAll("=", "");
  // Conversations had milliseconds, notifications as many digits as there were and no "Z".
  const read = (at: string) => timeOfCursor(old(`${at} ${ID}`))!.at;
  assert.equal(read("2026-11-20T12:54:22.478Z"), "2026-11-20T12:54:22.478000Z");
  assert.equal(read("2026-11-20T12:54:22.4781"), "2026-11-20T12:54:22.478100Z");
  assert.equal(read("2026-11-20T12:54:22"), "2026-11-20T12:54:22.000000Z");
  // Search had ids in base64, contacts, channels and the audit log the ids themselves.
  assert.equal(idOfCursor(old(ID)), ID);
  assert.equal(idOfCursor(ID), ID);
  assert.equal(idOfCursor(ID.toUpperCase()), ID.toUpperCase());
});

Deno.test("what is no cursor of the list is refused, whatever the database would say to it", () => {
  const texts = [
    "",
    "x",
    `2026-02-30T00:00:00.000000Z ${ID}`,
    `2026-13-01T00:00:00.000000Z ${ID}`,
    `2026-01-01T24:00:00.000000Z ${ID}`,
    `0000-01-01T00:00:00.000000Z ${ID}`,
    `infinity ${ID}`,
    `${AT} ${ID} `,
    `${AT} ${ID.slice(1)}`,
    ` ${ID}`,
  ];
  const bad = ["", "%%%", "é", "zzz", ID.slice(1), `${ID} `, AT, ...texts.map(btoa), btoa("\xff")];
  const isRefusal = (error: unknown) =>
    error instanceof ParleyError && error.code === "invalid" &&
    error.fields?.[0]?.path === "cursor";
  for (const cursor of bad) {
    assert.throws(() => idOfCursor(cursor), isRefusal, cursor);
    assert.throws(() => timeOfCursor(cursor), isRefusal, cursor);
  }
  // Each kind of list has its own.
  assert.throws(() => idOfCursor(toCursor({ at: AT, id: ID })), isRefusal);
  assert.throws(() => timeOfCursor(toCursor(ID)), isRefusal);
});

Deno.test("a page that is just full is the last one", () => {
  const place = (id: string) => id;
  assert.deepEqual(cutPage(["b", "a"], 2, place), { rows: ["b", "a"], nextCursor: null });
  assert.deepEqual(cutPage([], 2, place), { rows: [], nextCursor: null });
  assert.deepEqual(cutPage(["c", "b", "a"], 2, place), {
    rows: ["c", "b"],
    nextCursor: toCursor("b"),
  });
});
