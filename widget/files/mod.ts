/**
 * Files in the widget, in a chunk of their own: uploads, pictures, players, cards, voice messages. It
 * draws with the DOM alone, because the panel's renderer is in another file.
 */
import { createAttachments } from "../../client/attachments.ts";
import { createFileAddresses, type FileServer } from "../../client/files.ts";
import { makeSheet } from "../loader/launcher.ts";
import { createBar } from "./bar.ts";
import { FILES_CSS } from "./files.css.ts";
import { showFiles } from "./shown.ts";

export interface FilesOptions {
  root: ShadowRoot;
  server: FileServer;
  maxBytes: number;
  maxFiles: number;
  /** The files that wait have changed. */
  changed: () => void;
}

export type WidgetFiles = ReturnType<typeof start>;

export function start({ root, server, maxBytes, maxFiles, changed }: FilesOptions) {
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, makeSheet(FILES_CSS)];
  const book = createFileAddresses(server);
  const attachments = createAttachments({ server, maxBytes, maxFiles, changed });
  const bar = createBar(attachments);
  return {
    ...attachments,
    /** Where the files that wait are drawn. */
    bar: bar.element,
    draw: bar.draw,
    /** Records a voice message, which is then one of the files. */
    record: bar.record,
    show: (into: HTMLElement, files: Parameters<typeof showFiles>[1]) =>
      showFiles(into, files, (id) => book.get(id)),
  };
}
