import { Mic, Paperclip } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../ui/Button.tsx";
import { lazily } from "./lazily.tsx";
import type { AttachmentsState } from "./use_attachments.ts";

interface Props {
  files: AttachmentsState;
  isPrivate: boolean;
}

const VoiceRecorder = lazily(async () => (await import("./VoiceRecorder.tsx")).VoiceRecorder);

/** Opens the file chooser, and records a voice message where the browser can. */
export function AttachButtons({ files, isPrivate }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const mic = useRef<HTMLButtonElement>(null);
  const [canRecord, setCanRecord] = useState(false);
  const [isRecording, setRecording] = useState(false);
  useEffect(() => {
    setCanRecord("MediaRecorder" in globalThis && navigator.mediaDevices !== undefined);
  }, []);
  if (!files.isPossible) return null;

  function end(file: File | null, durationMs?: number) {
    setRecording(false);
    if (file !== null) void files.add(isPrivate, [file], durationMs);
    requestAnimationFrame(() => mic.current?.focus());
  }
  if (isRecording) {
    return (
      <VoiceRecorder onEnd={end}>
        <span class="voice" role="status">Starting …</span>
      </VoiceRecorder>
    );
  }
  return (
    <span class="attach-buttons">
      <input
        ref={input}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          void files.add(isPrivate, [...event.currentTarget.files ?? []]);
          // The same file can be chosen again.
          event.currentTarget.value = "";
        }}
      />
      <IconButton
        label="Attach files"
        shortcut="O"
        size="s"
        tipAt="above"
        onClick={() => input.current?.click()}
      >
        <Paperclip size={16} aria-hidden="true" />
      </IconButton>
      {canRecord && (
        <IconButton
          label="Record a voice message"
          shortcut="V"
          size="s"
          tipAt="above"
          buttonRef={mic}
          onClick={() => setRecording(true)}
        >
          <Mic size={16} aria-hidden="true" />
        </IconButton>
      )}
    </span>
  );
}
