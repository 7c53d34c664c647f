import { useRef, useState } from "preact/hooks";
import type { CannedResponse, CreateCannedResponseBody } from "../../protocol/canned_responses.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { readCannedFile, type Workspace } from "./canned_file.ts";

interface Outcome {
  added: number;
  /** Short codes with the reason. */
  left: { shortCode: string; why: string }[];
}

/** Refused entries that are shown. */
const SHOWN = 8;

/** Adds the canned replies of a file, one after the other, and says what was left out and why. */
export function ImportCannedReplies({ workspace, mayShare, onAdded, onClose }: {
  workspace: Workspace;
  mayShare: boolean;
  onAdded: (replies: CannedResponse[]) => void;
  onClose: () => void;
}) {
  const { request } = useWorkspace();
  const file = useRef<HTMLInputElement>(null);
  const [progress, setProgress] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);

  async function read(chosen: File) {
    setProblem(null);
    setOutcome(null);
    try {
      await add(readCannedFile(await chosen.text(), workspace));
    } catch (cause) {
      setProblem(cause instanceof ApiError ? errorText(cause) : (cause as Error).message);
    } finally {
      setProgress(null);
    }
  }

  async function add(bodies: CreateCannedResponseBody[]) {
    const added: CannedResponse[] = [];
    const left: Outcome["left"] = [];
    try {
      for (const [index, body] of bodies.entries()) {
        setProgress(`${index + 1} of ${bodies.length}`);
        const own = mayShare ? body : { ...body, shared: false };
        try {
          const path = "/api/canned-responses";
          added.push(await request<CannedResponse>(path, { method: "POST", body: own }));
        } catch (cause) {
          const error = cause as ApiError;
          // What is wrong with one entry does not stop the others; anything else does.
          if (error.code !== "conflict" && error.code !== "invalid") throw cause;
          const [field] = error.fields;
          left.push({ shortCode: body.shortCode, why: field?.message ?? error.message });
        }
      }
    } finally {
      if (added.length > 0) onAdded(added);
      setOutcome({ added: added.length, left });
    }
  }

  return (
    <div class="dialog-form">
      <p>
        A JSON file that was exported here, or a CSV file with the columns <code>shortCode</code>,
        {" "}
        <code>content</code> and <code>folder</code>.
        {!mayShare && " Only you will see them."}
      </p>
      <input
        ref={file}
        type="file"
        class="sr-only"
        aria-label="File with canned replies"
        accept=".json,.csv,application/json,text/csv"
        tabIndex={-1}
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          if (chosen !== undefined) void read(chosen);
          // The same file can be chosen again.
          event.currentTarget.value = "";
        }}
      />
      <div aria-live="polite">
        {problem && <Notice>{problem}</Notice>}
        {progress && <p>Adding {progress}…</p>}
        {outcome && !progress && (
          <>
            <p>
              {outcome.added === 1 ? "1 reply was added." : `${outcome.added} replies were added.`}
              {outcome.left.length > 0 && ` ${outcome.left.length} were left out:`}
            </p>
            <ul class="canned-left">
              {outcome.left.slice(0, SHOWN).map(({ shortCode, why }) => (
                <li key={shortCode}>
                  <b>/{shortCode}</b> {why}
                </li>
              ))}
              {outcome.left.length > SHOWN && <li>and {outcome.left.length - SHOWN} more</li>}
            </ul>
          </>
        )}
      </div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>{outcome ? "Done" : "Cancel"}</Button>
        <Button kind="primary" busy={progress !== null} onClick={() => file.current?.click()}>
          Choose a file
        </Button>
      </div>
    </div>
  );
}
