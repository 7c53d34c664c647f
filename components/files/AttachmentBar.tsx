import "../styles/files.css";
import { CircleAlert, FileText, RotateCw, X } from "lucide-preact";
import { type Attachment, sizeWords } from "../../client/attachments.ts";
import { IconButton } from "../ui/Button.tsx";
import type { AttachmentsState } from "./use_attachments.ts";

/** The files that go with the next message, each with its progress and a way to take it back. */
export function AttachmentBar(
  { files, isPrivate }: { files: AttachmentsState; isPrivate: boolean },
) {
  const list = files.list(isPrivate);
  const focusComposer = () => document.getElementById("composer")?.focus();
  return (
    <ul class="attachments" aria-label="Files to send">
      {list.map((one) => (
        <li key={one.key} class="attachment" data-state={one.state}>
          {one.state === "failed"
            ? <CircleAlert size={16} aria-hidden="true" />
            : <FileText size={16} aria-hidden="true" />}
          <span class="attachment-text">
            <span class="attachment-name" dir="auto" title={one.name}>{one.name}</span>
            <State one={one} />
          </span>
          {one.state === "failed" && one.canRetry && (
            <IconButton
              label={`Retry ${one.name}`}
              size="s"
              tipAt="above"
              onClick={() => files.retry(isPrivate, one.key)}
            >
              <RotateCw size={14} aria-hidden="true" />
            </IconButton>
          )}
          <IconButton
            label={one.state === "uploading" ? `Cancel ${one.name}` : `Remove ${one.name}`}
            size="s"
            tipAt="above"
            onClick={() => {
              files.remove(isPrivate, one.key);
              focusComposer();
            }}
          >
            <X size={14} aria-hidden="true" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

function State({ one }: { one: Attachment }) {
  if (one.state === "failed") return <span class="attachment-state" role="alert">{one.error}</span>;
  if (one.state === "ready") return <span class="attachment-state">{sizeWords(one.size)}</span>;
  return <progress value={one.progress} aria-label={`Uploading ${one.name}`} />;
}
