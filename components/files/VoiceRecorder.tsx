import { Check, X } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Recording, startRecording } from "../../client/voice_recorder.ts";
import { useInbox } from "../inbox/context.ts";
import { IconButton } from "../ui/Button.tsx";
import { durationWords } from "./words.ts";

/** Records from when it is shown. `onEnd` gets null where nothing is to be sent. */
export function VoiceRecorder(
  { onEnd }: { onEnd: (file: File | null, durationMs?: number) => void },
) {
  const inbox = useInbox();
  const recording = useRef<Recording | null>(null);
  const [seconds, setSeconds] = useState<number | null>(null);

  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setInterval> | undefined;
    startRecording().then((started) => {
      if (isOver) return started.cancel();
      recording.current = started;
      const start = Date.now();
      setSeconds(0);
      timer = setInterval(() => setSeconds(Math.floor((Date.now() - start) / 1000)), 250);
    }, (error: Error) => {
      if (isOver) return;
      inbox.toasts.show({ tone: "bad", text: error.message });
      onEnd(null);
    });
    return () => {
      isOver = true;
      clearInterval(timer);
      recording.current?.cancel();
    };
  }, []);

  async function done() {
    const own = recording.current;
    recording.current = null;
    if (own === null) return onEnd(null);
    const { file, durationMs } = await own.stop();
    onEnd(file, durationMs);
  }
  return (
    <span class="voice" onKeyDown={(event) => event.key === "Escape" && onEnd(null)}>
      <span class="voice-dot" aria-hidden="true" />
      <span role="timer">
        {seconds === null ? "Waiting for the microphone" : durationWords(seconds * 1000)}
      </span>
      <IconButton label="Cancel the recording" size="s" tipAt="above" onClick={() => onEnd(null)}>
        <X size={16} aria-hidden="true" />
      </IconButton>
      {seconds !== null && (
        <IconButton
          label="Attach the recording"
          size="s"
          tipAt="above"
          onClick={() => void done()}
        >
          <Check size={16} aria-hidden="true" />
        </IconButton>
      )}
    </span>
  );
}
