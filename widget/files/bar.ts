/** The files that go with the next message, and a voice message while it is recorded. */
import { type Attachment, type Attachments, sizeWords } from "../../client/attachments.ts";
import { type Recording, startRecording } from "../../client/voice_recorder.ts";
import { element } from "../dom.ts";

export function createBar(attachments: Attachments) {
  const list = element("ul", { className: "bar", ariaLabel: "Files to send" });
  const voice = element("ul", { className: "bar" });
  const rows = new Map<string, { one: Attachment; row: HTMLElement }>();

  function button(text: string, label: string, press: () => void) {
    return element("button", { type: "button", ariaLabel: label, onclick: press }, text);
  }

  function rowOf(one: Attachment): HTMLElement {
    const { key, name, state } = one;
    const what = element("span", { className: "what" }, element("b", { dir: "auto" }, name));
    if (state === "uploading") {
      what.append(
        element("progress", { value: one.progress, ariaLabel: `Uploading ${name}` }),
      );
    } else {
      const text = state === "failed" ? one.error! : sizeWords(one.size);
      const line = element("small", {}, text);
      if (state === "failed") line.role = "alert";
      what.append(line);
    }
    const row = element("li", { className: state === "failed" ? "bad" : "" }, what);
    if (one.canRetry && state === "failed") {
      row.append(button("Try again", `Try again: ${name}`, () => attachments.retry(key)));
    }
    const verb = state === "uploading" ? "Cancel" : "Remove";
    row.append(button("✕", `${verb} ${name}`, () => {
      attachments.remove(key);
      focusField();
    }));
    return row;
  }

  function focusField() {
    const root = list.getRootNode() as ShadowRoot;
    root.querySelector<HTMLElement>(".field textarea")?.focus();
  }

  return {
    element: element("div", {}, voice, list),

    draw() {
      const now = attachments.list();
      for (const key of [...rows.keys()]) {
        if (now.some((one) => one.key === key)) continue;
        rows.get(key)!.row.remove();
        rows.delete(key);
      }
      for (const one of now) {
        const known = rows.get(one.key);
        if (known?.one === one) continue;
        // A moving bar alone does not take the focus from its button.
        const progress = known?.row.querySelector("progress");
        if (progress && one.state === "uploading") {
          progress.value = one.progress;
          rows.set(one.key, { one, row: known!.row });
          continue;
        }
        const row = rowOf(one);
        if (known === undefined) list.append(row);
        else known.row.replaceWith(row);
        rows.set(one.key, { one, row });
      }
    },

    async record(): Promise<void> {
      if (voice.childElementCount > 0) return;
      let recording: Recording | null = null;
      let timer: ReturnType<typeof setInterval> | undefined;
      const time = element("b", { role: "timer" }, "Waiting for the microphone");
      const end = () => {
        clearInterval(timer);
        voice.replaceChildren();
        focusField();
      };
      const row = element(
        "li",
        {},
        element("span", { className: "what" }, time),
        button("✕", "Cancel the recording", () => {
          recording?.cancel();
          end();
        }),
      );
      voice.append(row);
      try {
        recording = await startRecording();
        if (!row.isConnected) return recording.cancel();
        const start = Date.now();
        timer = setInterval(() => {
          const seconds = Math.floor((Date.now() - start) / 1000);
          time.textContent = `Recording ${Math.floor(seconds / 60)}:${
            String(seconds % 60).padStart(2, "0")
          }`;
        }, 250);
        const own = recording;
        row.append(button("✓", "Attach the recording", async () => {
          const { file, durationMs } = await own.stop();
          attachments.add([file], durationMs);
          end();
        }));
      } catch (error) {
        time.textContent = (error as Error).message;
        time.role = "alert";
      }
    },
  };
}
