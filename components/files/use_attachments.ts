import { useState } from "preact/hooks";
import type { MessageFile } from "../../protocol/model.ts";
import { useInbox } from "../inbox/context.ts";
import { textKey } from "../live/files_model.ts";

export type AttachmentsState = ReturnType<typeof useAttachments>;

/** The files that go with the next reply or note: picked, pasted, dropped or recorded. */
export function useAttachments(conversationId: string) {
  const { files, connection } = useInbox();
  const [isOver, setOver] = useState(false);
  // What the server takes is known when the connection is there.
  void connection.state.value;
  const isPossible = files.maxBytes() > 0;
  const keyOf = (isPrivate: boolean) => textKey(conversationId, isPrivate);

  return {
    isPossible,
    /** A file is being dragged over the composer. */
    isOver,
    list: (isPrivate: boolean) => files.list(keyOf(isPrivate)),
    add: (isPrivate: boolean, chosen: readonly File[], durationMs?: number) =>
      files.add(keyOf(isPrivate), chosen, durationMs),
    remove: (isPrivate: boolean, key: string) => files.remove(keyOf(isPrivate), key),
    retry: (isPrivate: boolean, key: string) => files.retry(keyOf(isPrivate), key),
    take: (isPrivate: boolean) => files.take(keyOf(isPrivate)),
    putBack: (isPrivate: boolean, taken: readonly MessageFile[] | undefined) =>
      void files.putBack(keyOf(isPrivate), taken),

    /** Why the message cannot be sent because of its files; null: it can. */
    hindrance(isPrivate: boolean): string | null {
      const list = files.list(keyOf(isPrivate));
      if (list.some(({ state }) => state === "uploading")) return "The files are still uploading";
      if (list.some(({ state }) => state === "failed")) {
        return "Remove the file that could not be uploaded first, or retry it";
      }
      return null;
    },

    /** For the form around the text. */
    handlers: (isPrivate: boolean) =>
      !isPossible ? {} : {
        onPaste(event: ClipboardEvent) {
          const { files: given, types = [] } = event.clipboardData ?? {};
          const pasted = [...given ?? []];
          // Office programs add a picture of the text.
          const isText = types.includes("text/html") && types.includes("text/plain");
          if (pasted.length === 0 || isText) return;
          event.preventDefault();
          void files.add(keyOf(isPrivate), pasted);
        },
        onDragOver(event: DragEvent) {
          if (!event.dataTransfer?.types.includes("Files")) return;
          event.preventDefault();
          setOver(true);
        },
        onDragLeave(event: DragEvent & { currentTarget: HTMLElement }) {
          if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
        },
        onDrop(event: DragEvent) {
          setOver(false);
          const dropped = [...event.dataTransfer?.files ?? []];
          if (dropped.length === 0) return;
          event.preventDefault();
          void files.add(keyOf(isPrivate), dropped);
        },
      },
  };
}
