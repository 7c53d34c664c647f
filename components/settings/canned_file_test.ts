import assert from "node:assert/strict";
import type { CannedResponse } from "../../protocol/canned_responses.ts";
import type { Label } from "../../protocol/model.ts";
import { MAX_IMPORT, readCannedFile, writeCannedFile } from "./canned_file.ts";

const HERE = {
  labels: [{ id: "l1", name: "Refund" }] as Label[],
  users: [{ id: "bea", email: "bea@example.com" }],
  teams: [{ id: "t1", name: "Billing" }],
};
const THERE = {
  labels: [{ id: "l7", name: "refund" }] as Label[],
  users: [{ id: "other", email: "bea@example.com" }],
  teams: [{ id: "t7", name: "billing" }],
};

Deno.test("what is written is read again, also in another workspace", () => {
  const items = [{
    shortCode: "done",
    content: "Bye!\nGrüße",
    folder: "End",
    shared: false,
    actions: { addLabels: ["l1"], assignTo: "bea", teamId: "t1", status: "resolved" },
  }, { shortCode: "hi", content: "Hi", folder: null, shared: true, actions: null }];
  const file = writeCannedFile(items as unknown as CannedResponse[], HERE);
  assert.deepEqual(readCannedFile(file, THERE), [
    {
      ...items[0],
      actions: { addLabels: ["l7"], assignTo: "other", teamId: "t7", status: "resolved" },
    },
    { shortCode: "hi", content: "Hi", folder: null },
  ]);
  // What is not there is left out.
  const [done] = readCannedFile(file, { labels: [], users: [], teams: [] });
  assert.deepEqual(done!.actions, { status: "resolved" });
});

Deno.test("CSV may have quotes, line breaks, other names of columns and a byte order mark", () => {
  const file = '\uFEFFShort code,Text,Category\r\n/Hi There,"Hi, ""you""\nBye",Small\n\nb,B,\n';
  assert.deepEqual(readCannedFile(file, HERE), [
    { shortCode: "hi-there", content: 'Hi, "you"\nBye', folder: "Small" },
    { shortCode: "b", content: "B", folder: null },
  ]);
});

Deno.test("what is no such file is said", () => {
  const refused = (text: string) => {
    try {
      readCannedFile(text, HERE);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(refused("[1, 2]"), "This file has no list of canned replies.");
  assert.equal(refused("{"), "This file is not valid JSON.");
  assert.match(refused("a,b\n1,2")!, /needs the columns/);
  assert.match(refused('name,text\n"a,b')!, /a quote is not closed/);
  assert.equal(refused("name,text\n"), "There are no canned replies in this file.");
  assert.match(refused(JSON.stringify(Array(MAX_IMPORT + 1).fill({})))!, /at most 1000/);
});
