import "../styles/canned_rows.css";
import { Pencil, Trash2, UserRound, Zap } from "lucide-preact";
import type { CannedResponse } from "../../protocol/canned_responses.ts";
import type { Label, User } from "../../protocol/model.ts";
import type { Team } from "../../protocol/teams.ts";
import { macroWords, sentenceOf } from "../inbox/suggestions/canned.ts";
import { useWorkspace } from "../shell/context.ts";
import { IconButton } from "../ui/Button.tsx";

/** The open dialog; `reply` is null for a new one. */
export type CannedTask =
  | { kind: "edit"; reply: CannedResponse | null }
  | { kind: "delete"; reply: CannedResponse }
  | { kind: "import" };

interface ListProps {
  replies: readonly CannedResponse[];
  labels: readonly Label[];
  users: readonly User[];
  teams: readonly Team[];
  mayShare: boolean;
  onTask: (task: CannedTask) => void;
}

/** The replies in their folders; those without a folder come first. */
export function CannedReplyList({ replies, ...rest }: ListProps) {
  const folders = Map.groupBy(replies, ({ folder }) => folder ?? "");
  const names = [...folders.keys()].sort((a, b) => a.localeCompare(b));
  return (
    <>
      {names.map((name) => (
        <section key={name} class="canned-section">
          {names.length > 1 && <h2>{name || "No folder"}</h2>}
          <ul class="cards" aria-label={name || "Canned replies"}>
            {folders.get(name)!.map((reply) => <Row key={reply.id} reply={reply} {...rest} />)}
          </ul>
        </section>
      ))}
    </>
  );
}

function Row({ reply, labels, users, teams, mayShare, onTask }: Omit<ListProps, "replies"> & {
  reply: CannedResponse;
}) {
  const { me } = useWorkspace();
  const { shortCode, content, shared, actions, userId } = reply;
  const mayChange = !shared || mayShare;
  const mayDelete = mayChange && (userId === me.value.id || me.value.role === "admin");
  const does = actions === null ? [] : macroWords(actions, labels, users, me.value.id, teams);
  return (
    <li>
      <div class="card canned-card">
        <span class="card-words">
          <span class="suggestion-head">
            <b>/{shortCode}</b>
            {!shared && (
              <span class="suggestion-own">
                <UserRound size={12} aria-hidden="true" /> Only you
              </span>
            )}
          </span>
          {content && <span class="suggestion-text" dir="auto">{content}</span>}
          {does.length > 0 && (
            <span class="suggestion-does">
              <Zap size={12} aria-hidden="true" /> {sentenceOf(does)}
            </span>
          )}
        </span>
        {mayChange && (
          <IconButton
            label={`Edit /${shortCode}`}
            tipAt="start"
            onClick={() => onTask({ kind: "edit", reply })}
          >
            <Pencil size={16} />
          </IconButton>
        )}
        {mayDelete && (
          <IconButton
            label={`Delete /${shortCode}`}
            tipAt="start"
            onClick={() => onTask({ kind: "delete", reply })}
          >
            <Trash2 size={16} />
          </IconButton>
        )}
      </div>
    </li>
  );
}
