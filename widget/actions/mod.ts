/**
 * What a visitor does with a message that is there already, in a chunk of its own: reply, react,
 * edit, withdraw.
 * It draws with the DOM alone, because the panel's renderer is in another file.
 */
import type { ConversationStore, ParleyClient, ThreadItem } from "../../client/mod.ts";
import type { Message } from "../../protocol/model.ts";
import { isVisible } from "../../protocol/visible_text.ts";
import { element } from "../dom.ts";
import { makeSheet } from "../loader/launcher.ts";
import { ACTIONS_CSS } from "./actions.css.ts";

export interface ActionsOptions {
  root: ShadowRoot;
  client: ParleyClient;
  store: () => ConversationStore | null;
  /** Something was drawn that takes room. */
  changed: () => void;
}

/** The usual emoji; the inbox has the same. */
const USUAL = ["👍", "❤️", "😂", "🎉", "😮", "😢"];
/** Pages of history that are loaded in order to reach a message. */
const MAX_PAGES = 4;

export type WidgetActions = ReturnType<typeof start>;

export function start({ root, client, store, changed }: ActionsOptions) {
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, makeSheet(ACTIONS_CSS)];
  const sheet = element("div", { className: "sheet", role: "group" });
  /** What had the focus before the sheet took it. */
  let from: HTMLElement | null = null;

  const isOwn = ({ sender }: Message) => sender.userId === client.identity?.userId;
  /** The server decides; the device's clock may be wrong. */
  const mayChange = (message: Message) =>
    isOwn(message) &&
    Date.now() - Date.parse(message.createdAt) < (client.identity?.editWindowMs ?? 0);

  const field = () => root.querySelector<HTMLElement>(".field textarea");
  function close() {
    sheet.remove();
    (from?.isConnected ? from : field())?.focus();
  }
  /** Shows this above the field for messages, and moves the focus into it. */
  function show(label: string, ...parts: (Node | string)[]) {
    sheet.ariaLabel = label;
    sheet.replaceChildren(...parts);
    root.querySelector(".extras")!.append(sheet);
    sheet.querySelector<HTMLElement>("textarea,button")?.focus();
  }
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    // Not the chat.
    event.stopPropagation();
    close();
  });

  const button = (text: string, press: () => void, className = "") =>
    element("button", { type: "button", className, onclick: press }, text);
  const choices = (...all: Node[]) => element("div", { className: "choices" }, ...all);
  const textOf = ({ content, files }: Message) => content.slice(0, 200) || (files?.[0]?.name ?? "");
  const excerpt = (message: Message) =>
    element("p", { className: "excerpt", dir: "auto" }, textOf(message));
  const closer = () => {
    const made = button("✕", close, "end");
    made.ariaLabel = "Close";
    return made;
  };

  /** Does it; what the server says against it stands in the sheet, and nothing typed is lost. */
  function attempt(work: () => Promise<unknown> | undefined) {
    const problem = element("p", { role: "alert" });
    const run = async () => {
      sheet.ariaBusy = "true";
      problem.textContent = "";
      try {
        await work();
        close();
      } catch (error) {
        problem.textContent = `${(error as Error).message}.`;
      }
      sheet.ariaBusy = null;
    };
    return { problem, run };
  }

  function edit(message: Message) {
    const text = element("textarea", { value: message.content, ariaLabel: "Edit the message" });
    text.dir = "auto";
    const { problem, run } = attempt(() => store()?.editMessage(message.id, text.value.trim()));
    const save = () => {
      if (text.value.trim() === message.content) close();
      else if (isVisible(text.value)) void run();
    };
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      save();
    });
    show(
      "Edit the message",
      text,
      problem,
      choices(button("Cancel", close), button("Save", save, "go")),
    );
    text.setSelectionRange(text.value.length, text.value.length);
  }

  function withdraw(message: Message) {
    const { problem, run } = attempt(() => store()?.deleteMessage(message.id));
    const question = element("p", {}, "Withdraw this message? It is removed for everybody.");
    const all = choices(button("Keep it", close), button("Withdraw", () => void run(), "go"));
    show("Withdraw the message", question, excerpt(message), problem, all);
  }

  const nameOf = ({ sender }: Pick<Message, "sender">) =>
    sender.userId === client.identity?.userId ? "You" : sender.userName;

  /** Adds the visitor's reaction, or removes it. */
  function react({ id: messageId, conversationId, reactions = [] }: Message, emoji: string) {
    const known = reactions.find((one) => one.emoji === emoji);
    const remove = known?.userIds.includes(client.identity?.userId ?? "") ?? false;
    client.request("react", { conversationId, messageId, emoji, remove }).catch(() => {});
  }

  /** What the next message replies to. */
  let replyingTo: Message | null = null;
  const replyBar = element("div", { className: "sheet reply", role: "group" });
  replyBar.ariaLabel = "Reply";
  function stopReplying() {
    replyingTo = null;
    replyBar.remove();
  }
  function reply(message: Message) {
    sheet.remove();
    replyingTo = message;
    const end = button("✕", () => {
      stopReplying();
      field()?.focus();
    });
    end.ariaLabel = "Do not reply to this message";
    replyBar.replaceChildren(
      element(
        "b",
        { dir: "auto" },
        `Reply to ${isOwn(message) ? "yourself" : message.sender.userName}`,
      ),
      excerpt(message),
      end,
    );
    root.querySelector(".extras")!.append(replyBar);
    field()?.focus();
  }

  /** Shows a message in its place, after loading the history up to it, if that is not too much. */
  async function jump(id: string) {
    const find = () => root.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
    for (let page = 0; page < MAX_PAGES && !find() && store()?.snapshot.hasOlder; page++) {
      await store()!.loadOlder();
      await new Promise(requestAnimationFrame);
    }
    const line = find();
    if (!line) return;
    line.scrollIntoView({ block: "center" });
    line.querySelector<HTMLElement>(".more")?.focus({ preventScroll: true });
    line.classList.add("found");
    setTimeout(() => line.classList.remove("found"), 1500);
  }

  function copy(message: Message) {
    const problem = element("p", { role: "alert" });
    const written = navigator.clipboard?.writeText(message.content) ?? Promise.reject();
    written.then(close, () => {
      sheet.append(problem);
      problem.textContent = "The browser does not allow copying here.";
    });
  }

  return {
    /** What can be done with a message. */
    open(message: Message, opener: HTMLElement) {
      from = opener;
      const emoji = element("div", { className: "usual", role: "group", ariaLabel: "React" });
      emoji.append(...USUAL.map((one) =>
        button(one, () => {
          react(message, one);
          close();
        })
      ));
      const all = choices(button("Reply", () => reply(message)));
      if (mayChange(message)) {
        if (message.content !== "") all.append(button("Edit", () => edit(message)));
        all.append(button("Withdraw", () => withdraw(message)));
      }
      if (message.content !== "") all.append(button("Copy", () => copy(message)));
      show("Message options", excerpt(message), emoji, all, closer());
    },
    /** Draws what a message replies to. */
    quote(into: HTMLElement, { message, pending }: ThreadItem) {
      const id = (message ?? pending)!.replyToId!;
      const original = store()?.snapshot.items.find((one) => one.message?.id === id)?.message;
      const quoted = message?.quote ?? (original && { ...original, preview: textOf(original) });
      if (!quoted) return into.replaceChildren();
      const show = element(
        "button",
        { type: "button", className: "quote", onclick: () => void jump(id) },
        element("span", { className: "sr" }, "In reply to "),
        element("b", { dir: "auto" }, nameOf(quoted)),
        element("span", { dir: "auto" }, quoted.preview || "Message withdrawn"),
      );
      into.replaceChildren(show);
      changed();
    },
    /** Draws the reactions to a message, each a switch of the visitor's own. */
    reactions(into: HTMLElement, message: Message) {
      const focused = (root.activeElement as HTMLElement | null)?.dataset["emoji"];
      const isHere = into.contains(root.activeElement);
      const all = message.reactions!.map(({ emoji, userIds }) => {
        const own = userIds.includes(client.identity!.userId);
        const made = button(`${emoji} ${userIds.length}`, () => react(message, emoji));
        made.ariaPressed = String(own);
        made.dataset["emoji"] = emoji;
        return made;
      });
      into.replaceChildren(...all);
      if (isHere) (all.find((one) => one.dataset["emoji"] === focused) ?? all[0])?.focus();
      changed();
    },
    take(): { replyToId?: string } {
      const id = replyingTo?.id;
      stopReplying();
      return id === undefined ? {} : { replyToId: id };
    },
    /** Edits the visitor's last message, if that is still possible. */
    editLast() {
      from = field();
      const last = store()?.snapshot.items.findLast(({ message }) =>
        message && message.deletedAt === null && isOwn(message)
      )?.message;
      if (last && last.content !== "" && mayChange(last)) edit(last);
    },
  };
}
