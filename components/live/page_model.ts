import { effect } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { createListModel } from "./list_model.ts";
import { createWorkspace, type WorkspaceStart } from "./workspace_model.ts";

/** What the server renders a page with that is not the inbox. */
export interface PageStart extends WorkspaceStart {
  /** For the document's title, without the product's name. */
  title: string;
}

/** A page beside the inbox: the workspace, and the number of unread messages. */
export function createPage(start: PageStart) {
  const workspace = createWorkspace(start);
  // Shows no list, but counts unread messages from events.
  const list = createListModel({ items: [], nextCursor: null }, { view: "all", status: "all" }, {
    userId: start.user.id,
    get: (path) => workspace.request(path),
  });
  list.setTotalUnread(start.unread);

  function attach(own: ParleyClient): (() => void)[] {
    return [
      own.on("identity", ({ totalUnread }) => {
        if (totalUnread !== undefined) list.setTotalUnread(totalUnread);
      }),
      own.on("conversation", ({ conversation }) => list.receive(conversation)),
      own.on("unread", ({ conversationId, unread, totalUnread }) => {
        list.setUnread(conversationId, unread, totalUnread);
      }),
      effect(() => {
        const count = list.totalUnread.value;
        document.title = `${count > 0 ? `(${count}) ` : ""}${isolate(start.title)} · Parley`;
      }),
    ];
  }

  return {
    ...workspace,
    unread: list.totalUnread,
    begin: () => workspace.begin(attach),
  };
}
