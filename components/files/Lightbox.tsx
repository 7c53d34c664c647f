import { ChevronLeft, ChevronRight, Download, X } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { MessageFile } from "../../protocol/model.ts";
import { IconButton } from "../ui/Button.tsx";
import { useAddress } from "./use_address.ts";

interface Props {
  files: readonly MessageFile[];
  /** The id of the one that is shown first. */
  first: string;
  onClose: () => void;
}

/** Pictures of a message in full size. Arrows go on, Esc closes, and the focus goes back. */
export function Lightbox({ files, first, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [at, setAt] = useState(Math.max(0, files.findIndex(({ id }) => id === first)));
  const file = files[at]!;
  const { url } = useAddress(file.id);
  const move = (step: number) => setAt((at + step + files.length) % files.length);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  function onKeyDown(event: KeyboardEvent) {
    // The list of conversations has its own arrows.
    event.stopPropagation();
    if (event.key === "ArrowRight") move(1);
    if (event.key === "ArrowLeft") move(-1);
  }
  return (
    <dialog
      ref={dialog}
      class="lightbox"
      aria-label={file.name}
      onClose={onClose}
      onKeyDown={onKeyDown}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <header>
        <p dir="auto">{file.name}</p>
        {files.length > 1 && <p aria-live="polite">{at + 1} of {files.length}</p>}
        <a
          class="icon-button"
          href={url ? `${url}&download` : undefined}
          aria-label={`Download ${file.name}`}
        >
          <Download size={16} aria-hidden="true" />
        </a>
        <IconButton label="Close" onClick={() => dialog.current?.close()}>
          <X size={18} aria-hidden="true" />
        </IconButton>
      </header>
      {url && <img key={file.id} src={url} alt={file.name} />}
      {files.length > 1 && (
        <>
          <IconButton label="Previous picture" onClick={() => move(-1)}>
            <ChevronLeft size={22} aria-hidden="true" />
          </IconButton>
          <IconButton label="Next picture" onClick={() => move(1)}>
            <ChevronRight size={22} aria-hidden="true" />
          </IconButton>
        </>
      )}
    </dialog>
  );
}
