import type { Attachment } from "../../client/attachments.ts";
import type { FileServer } from "../../client/files.ts";
import type { ParleyClient } from "../../client/mod.ts";
import type { MessageFile } from "../../protocol/model.ts";
import type { start, WidgetFiles } from "../files/mod.ts";
import type { Shell } from "../shell.ts";

declare const FILES_FILE: string;

/** What the panel knows of files; the rest is in a chunk that is loaded when there is one. */
export function createPanelFiles(
  { base, root }: Shell,
  client: ParleyClient,
  token: FileServer["token"],
  changed: () => void,
) {
  let loading: Promise<WidgetFiles> | null = null;
  let loaded: WidgetFiles | null = null;

  function load(): Promise<WidgetFiles> {
    return loading ??= (async () => {
      try {
        const module: { start: typeof start } = await import(`${base}widget/${FILES_FILE}`);
        const { fileBytes = 0, filesPerMessage = 0 } = client.welcome?.limits ?? {};
        return loaded = module.start({
          root,
          server: { url: base, token },
          maxBytes: fileBytes,
          maxFiles: filesPerMessage,
          changed() {
            loaded?.draw();
            changed();
          },
        });
      } catch (error) {
        loading = null;
        throw error;
      }
    })();
  }
  const list = (): readonly Attachment[] => loaded?.list() ?? [];

  return {
    /** Whether this server takes files. */
    isPossible: () => (client.welcome?.limits.fileBytes ?? 0) > 0,
    /** Where the files that wait are drawn; null while there are none. */
    bar: () => loaded?.bar ?? null,
    count: () => list().length,
    /** All that wait can be sent. */
    isReady: () => list().every(({ state }) => state === "ready"),
    take(): { files?: MessageFile[] } {
      const files = loaded?.take() ?? [];
      return files.length === 0 ? {} : { files };
    },
    async add(files: Iterable<File>) {
      const given = [...files];
      if (given.length > 0) (await load()).add(given);
    },
    async record() {
      const { record } = await load();
      changed();
      await record();
    },
    show: async (into: HTMLElement, files: MessageFile[]) => (await load()).show(into, files),
  };
}

export type PanelFiles = ReturnType<typeof createPanelFiles>;
