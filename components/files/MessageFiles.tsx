import "../styles/files.css";
import { Download, FileText } from "lucide-preact";
import { useState } from "preact/hooks";
import { sizeWords } from "../../client/attachments.ts";
import type { MessageFile } from "../../protocol/model.ts";
import { useInbox } from "../inbox/context.ts";
import { Lightbox } from "./Lightbox.tsx";
import { useAddress } from "./use_address.ts";
import { durationWords, kindWords } from "./words.ts";

/** What browsers show without a program of its own; everything else is a card. */
const IMAGE = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const VIDEO = /^video\/(?:mp4|webm|ogg)$/;

/** The files of a message: pictures with a lightbox, players, and cards. */
export function MessageFiles({ files }: { files: readonly MessageFile[] }) {
  const [shown, setShown] = useState<string | null>(null);
  const images = files.filter(({ mediaType }) => IMAGE.test(mediaType));
  return (
    <div class="files">
      {files.map((file) => {
        if (IMAGE.test(file.mediaType)) {
          return <Picture key={file.id} file={file} onOpen={() => setShown(file.id)} />;
        }
        if (file.mediaType.startsWith("audio/")) return <Player key={file.id} file={file} />;
        if (VIDEO.test(file.mediaType)) return <Player key={file.id} file={file} isVideo />;
        return <Card key={file.id} file={file} />;
      })}
      {shown !== null && <Lightbox files={images} first={shown} onClose={() => setShown(null)} />}
    </div>
  );
}

function Picture({ file, onOpen }: { file: MessageFile; onOpen: () => void }) {
  const { url, renew } = useAddress(file.id);
  if (url === false) return <Card file={file} />;
  return (
    <button type="button" class="file-picture" aria-label={`Open ${file.name}`} onClick={onOpen}>
      <img
        src={url ?? undefined}
        alt=""
        loading="lazy"
        decoding="async"
        width={file.width}
        height={file.height}
        onError={renew}
      />
    </button>
  );
}

function Player({ file, isVideo }: { file: MessageFile; isVideo?: boolean }) {
  const { url, renew } = useAddress(file.id);
  if (url === false) return <Card file={file} />;
  const common = {
    src: url ?? undefined,
    controls: true,
    "aria-label": file.name,
    onError: renew,
  };
  return (
    <figure class="file-player">
      {isVideo ? <video {...common} preload="metadata" /> : <audio {...common} preload="none" />}
      <figcaption dir="auto">
        {file.name.startsWith("voice-message") ? "Voice message" : file.name}
        {file.durationMs !== undefined && ` · ${durationWords(file.durationMs)}`}
      </figcaption>
    </figure>
  );
}

function Card({ file }: { file: MessageFile }) {
  const inbox = useInbox();
  async function save() {
    try {
      const url = await inbox.files.address(file.id);
      if (url === null) throw new Error("This file is gone. Its message may have been deleted.");
      location.assign(`${url}&download`);
    } catch (error) {
      inbox.fail(error);
    }
  }
  return (
    <button
      type="button"
      class="file-card"
      onClick={() => void save()}
    >
      <FileText size={20} aria-hidden="true" />
      <span class="sr-only">Download</span>
      <span class="attachment-text">
        <span class="attachment-name" dir="auto">{file.name}</span>
        <span class="attachment-state">{kindWords(file.mediaType)} · {sizeWords(file.size)}</span>
      </span>
      <Download size={16} aria-hidden="true" />
    </button>
  );
}
