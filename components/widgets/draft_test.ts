import assert from "node:assert/strict";
import type { WidgetConfig } from "../../protocol/model.ts";
import { changesOf, draftErrors, draftOf, errorsByField, mergeDraft } from "./draft.ts";

const WIDGET: WidgetConfig = {
  id: "01990000-0000-7000-8000-000000000001",
  userId: null,
  name: "Shop",
  widgetKey: "wk_1",
  allowedOrigins: ["https://a.example"],
  enabled: true,
  appearance: {
    title: "Chat with us",
    greeting: "Hello!",
    accent: "#4f46e5",
    position: "right",
    launcherLabel: "Chat",
    placeholder: "Write a message",
  },
  createdAt: "2026-11-20T08:00:00.000Z",
  updatedAt: "2026-11-20T08:00:00.000Z",
};

Deno.test("only changes are sent, normalized", () => {
  const draft = draftOf(WIDGET);
  assert.equal(changesOf(WIDGET, draft), null);
  draft.origins.push({ key: 7, text: "" });
  draft.name = " Shop ";
  assert.equal(changesOf(WIDGET, draft), null);
  draft.origins.push({ key: 8, text: "b.example/cart" });
  draft.appearance.greeting = " Good morning ";
  assert.deepEqual(changesOf(WIDGET, draft), {
    allowedOrigins: ["https://a.example", "https://b.example"],
    appearance: { greeting: "Good morning" },
  });
});

Deno.test("errors are found before sending", () => {
  const draft = draftOf(WIDGET);
  draft.name = " ";
  draft.origins.push({ key: 7, text: "shop" }, { key: 8, text: "A.example" }, {
    key: 9,
    text: "*",
  });
  draft.appearance = { ...draft.appearance, title: "", accent: "blue" };
  assert.deepEqual(Object.keys(draftErrors(draft)).sort(), [
    "appearance.accent",
    "appearance.title",
    "name",
    "origins.7",
    "origins.8",
    "origins.9",
  ]);
  assert.deepEqual(draftErrors(draftOf(WIDGET)), {});
});

Deno.test("the server's errors are at their rows although empty rows were not sent", () => {
  const draft = draftOf(WIDGET);
  draft.origins = [{ key: 3, text: "" }, { key: 4, text: "https://a.example" }, {
    key: 5,
    text: "x",
  }];
  const errors = errorsByField(draft, [
    { path: "allowedOrigins.1", message: "must be an origin" },
    { path: "appearance.title", message: "too short" },
    { path: "appearance.nothing", message: "unknown" },
  ]);
  assert.deepEqual(errors, {
    "origins.5": "must be an origin",
    "appearance.title": "too short",
    "": "unknown",
  });
});

Deno.test("a draft keeps its changes when somebody else has saved", () => {
  const draft = draftOf(WIDGET);
  draft.appearance.title = "Mine";
  draft.origins.push({ key: 7, text: "b.example" });
  const theirs = {
    ...WIDGET,
    name: "Theirs",
    enabled: false,
    allowedOrigins: ["https://c.example"],
    appearance: { ...WIDGET.appearance, title: "Theirs", accent: "#000000" },
  };
  const merged = mergeDraft(WIDGET, draft, theirs);
  assert.deepEqual(changesOf(theirs, merged), {
    allowedOrigins: ["https://a.example", "https://b.example"],
    appearance: { title: "Mine" },
  });
  assert.deepEqual(mergeDraft(WIDGET, draftOf(WIDGET), theirs), draftOf(theirs));
});
