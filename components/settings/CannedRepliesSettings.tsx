import "../styles/canned_replies.css";
import { useEffect, useState } from "preact/hooks";
import { Download, MessageSquareText, Plus, Upload } from "lucide-preact";
import type { Team } from "../../protocol/teams.ts";
import type {
  CannedResponse,
  CannedResponseSettings as Settings,
} from "../../protocol/canned_responses.ts";
import type { Label, User } from "../../protocol/model.ts";
import { readCanned } from "../inbox/suggestions/canned_store.ts";
import { findCanned } from "../inbox/suggestions/canned.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Field } from "../ui/Field.tsx";
import { CannedReplyForm } from "./CannedReplyForm.tsx";
import { CannedReplyList, type CannedTask } from "./CannedReplyList.tsx";
import { DeleteCannedReply } from "./DeleteCannedReply.tsx";
import { ImportCannedReplies } from "./ImportCannedReplies.tsx";
import { ManagedBy } from "./ManagedBy.tsx";
import { writeCannedFile } from "./canned_file.ts";
import { SettingsFrame } from "./SettingsFrame.tsx";

export interface CannedRepliesProps {
  replies: CannedResponse[];
  settings: Settings;
  labels: Label[];
  users: User[];
  teams: Team[];
}

/** All canned replies and macros of the agent: found, added, changed, taken out and in as a file. */
export function CannedRepliesSettings(props: CannedRepliesProps) {
  const { labels, users, teams } = props;
  const { request, toasts, me, live } = useWorkspace();
  const [replies, setReplies] = useState(props.replies);
  const [settings, setSettings] = useState(props.settings);
  const [query, setQuery] = useState("");
  const [task, setTask] = useState<CannedTask | null>(null);
  const isAdmin = me.value.role === "admin";
  const mayShare = isAdmin || settings.managedBy === "agents";
  const shown = findCanned(replies, query.trim().replace(/^\/+/, ""), replies.length);
  const folders = [...new Set(replies.flatMap(({ folder }) => folder ?? []))].sort();
  const close = () => setTask(null);

  // Colleagues may have changed some while the page was out of sight.
  useEffect(() => {
    const read = () => {
      if (document.visibilityState !== "visible" || !live.value) return;
      readCanned(request).then(setReplies, () => {});
    };
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, []);

  function done(reply: CannedResponse, words: string) {
    setReplies([...replies.filter(({ id }) => id !== reply.id), reply]);
    close();
    toasts.show({ tone: "good", text: `“/${reply.shortCode}” is ${words}.` });
  }
  const add = (
    <Button
      kind="primary"
      icon={<Plus size={16} aria-hidden="true" />}
      onClick={() => setTask({ kind: "edit", reply: null })}
    >
      New reply
    </Button>
  );
  return (
    <SettingsFrame
      path="/settings/canned-replies"
      title="Canned replies"
      lead="Replies you use often. Type / in the composer to find them."
      action={replies.length > 0 && add}
    >
      <div class="canned-bar">
        {replies.length > 0 && (
          <Field
            id="canned-search"
            type="search"
            label="Find a reply"
            value={query}
            autocomplete="off"
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        )}
        <Button
          icon={<Upload size={16} aria-hidden="true" />}
          onClick={() => setTask({ kind: "import" })}
        >
          Import
        </Button>
        {replies.length > 0 && (
          <Button
            icon={<Download size={16} aria-hidden="true" />}
            onClick={() =>
              save("canned-replies.json", writeCannedFile(replies, { labels, users, teams }))}
          >
            Export
          </Button>
        )}
      </div>
      {replies.length === 0
        ? (
          <EmptyState
            icon={<MessageSquareText size={20} />}
            title="No canned replies yet"
            action={add}
          >
            Save the answers you give every day. A macro can also add labels, assign or resolve.
          </EmptyState>
        )
        : shown.length === 0
        ? <p class="field-hint" role="status">No canned reply has “{query.trim()}”.</p>
        : (
          <CannedReplyList
            replies={shown}
            labels={labels}
            users={users}
            teams={teams}
            mayShare={mayShare}
            onTask={setTask}
          />
        )}
      {isAdmin && <ManagedBy settings={settings} onDone={setSettings} />}
      <Dialog
        open={task?.kind === "edit"}
        title={task?.kind === "edit" && task.reply ? "Edit canned reply" : "New canned reply"}
        onClose={close}
        focusInside
        wide
      >
        {task?.kind === "edit" && (
          <CannedReplyForm
            reply={task.reply}
            folders={folders}
            labels={labels}
            users={users}
            teams={teams}
            mayShare={mayShare}
            onDone={(reply) => done(reply, task.reply === null ? "added" : "saved")}
            onClose={close}
          />
        )}
      </Dialog>
      <Dialog
        open={task?.kind === "delete"}
        title={`Delete “/${task?.kind === "delete" ? task.reply.shortCode : ""}”?`}
        onClose={close}
      >
        {task?.kind === "delete" && (
          <DeleteCannedReply
            reply={task.reply}
            onClose={close}
            onDone={({ id, shortCode }) => {
              setReplies(replies.filter((one) => one.id !== id));
              close();
              toasts.show({ tone: "good", text: `“/${shortCode}” is deleted.` });
            }}
          />
        )}
      </Dialog>
      <Dialog open={task?.kind === "import"} title="Import canned replies" onClose={close}>
        {task?.kind === "import" && (
          <ImportCannedReplies
            workspace={{ labels, users, teams }}
            mayShare={mayShare}
            onAdded={(added) => setReplies((known) => [...known, ...added])}
            onClose={close}
          />
        )}
      </Dialog>
    </SettingsFrame>
  );
}

/** Downloads a text as a file. */
function save(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
