/** Records voice messages with the browser's MediaRecorder. */

export interface Recording {
  /** Ends it, and returns what was said. */
  stop(): Promise<{ file: File; durationMs: number }>;
  /** Ends it, and forgets what was said. */
  cancel(): void;
}

/** In the order in which they are preferred; Safari has only the last one. */
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const ENDINGS: Record<string, string> = { "audio/webm": "webm", "audio/ogg": "ogg" };

export function canRecord(): boolean {
  return "MediaRecorder" in globalThis && navigator.mediaDevices?.getUserMedia !== undefined;
}

/** Asks for the microphone. @throws {Error} with a sentence, when there is none or it is refused. */
export async function startRecording(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => {
    const refused = (error as DOMException).name === "NotAllowedError";
    throw new Error(
      refused
        ? "The browser does not allow the microphone on this page."
        : "There is no microphone.",
    );
  });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => void parts.push(data);
  const ended = new Promise<void>((resolve) => recorder.onstop = () => resolve());
  const start = performance.now();
  recorder.start();

  function end(): Promise<void> {
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
    return ended;
  }
  return {
    async stop() {
      const durationMs = Math.round(performance.now() - start);
      await end();
      const type = recorder.mimeType.split(";")[0]!;
      const name = `voice-message.${ENDINGS[type] ?? "m4a"}`;
      return { file: new File(parts, name, { type }), durationMs };
    },
    cancel: () => void end(),
  };
}
