import { signal } from "@preact/signals";
import type { Attachment, Attachments } from "../../client/attachments.ts";
import type { FileAddressBook } from "../../client/files.ts";
import type { ParleyClient } from "../../client/mod.ts";
import type { MessageFile } from "../../protocol/model.ts";

export interface FilesModelOptions {
  client: () => ParleyClient | null;
  token: () => Promise<string>;
  /** Says something that belongs to no file. */
  notify: (text: string) => void;
}

const NONE: readonly Attachment[] = [];

/** Of one text: a reply and a note have files of their own. */
export const textKey = (conversationId: string, isPrivate: boolean) =>
  `${conversationId} ${isPrivate ? "note" : "reply"}`;

export type FilesModel = ReturnType<typeof createFilesModel>;

/**
 * What is to be sent with the next message, by text (a reply and a note are two texts), and the
 * addresses of files. The code for it is loaded when there is a file.
 */
export function createFilesModel({ client, token, notify }: FilesModelOptions) {
  const version = signal(0);
  const waiting = new Map<string, Attachments>();
  let book: Promise<FileAddressBook> | null = null;
  const server = () => ({ url: location.origin, token });
  const limits = () => client()?.welcome?.limits;

  async function attachmentsOf(key: string): Promise<Attachments> {
    const { filesPerMessage: maxFiles = 0, fileBytes: maxBytes = 0 } = limits() ?? {};
    const { createAttachments } = await import("../../client/attachments.ts");
    const attachments = waiting.get(key) ?? createAttachments({
      server: server(),
      maxBytes,
      maxFiles,
      changed: () => void version.value++,
    });
    waiting.set(key, attachments);
    return attachments;
  }

  return {
    /** Bytes of a file; 0 while it is not known, and where the server takes none. */
    maxBytes: () => limits()?.fileBytes ?? 0,

    list(key: string): readonly Attachment[] {
      void version.value;
      return waiting.get(key)?.list() ?? NONE;
    },

    async add(key: string, files: readonly File[], durationMs?: number): Promise<void> {
      const { filesPerMessage: maxFiles = 0, fileBytes: maxBytes = 0 } = limits() ?? {};
      if (files.length === 0 || maxBytes === 0) return;
      const attachments = await attachmentsOf(key);
      if (attachments.add(files, durationMs) > 0) {
        notify(`A message can have ${maxFiles} files. Send the others with the next one.`);
      }
    },

    remove: (key: string, file: string) => waiting.get(key)?.remove(file),
    retry: (key: string, file: string) => waiting.get(key)?.retry(file),
    /** Those that are uploaded; undefined where there are none. */
    take(key: string): MessageFile[] | undefined {
      const taken = waiting.get(key)?.take() ?? [];
      return taken.length === 0 ? undefined : taken;
    },

    /** Files of a message that was not sent after all. */
    async putBack(key: string, files: readonly MessageFile[] | undefined): Promise<void> {
      if (files !== undefined) (await attachmentsOf(key)).putBack(files);
    },

    /** An address that works now, or null where the file is gone. */
    async address(id: string): Promise<string | null> {
      book ??= import("../../client/files.ts").then(({ createFileAddresses }) =>
        createFileAddresses(server())
      );
      return await (await book).get(id);
    },
  };
}
