import { useState } from "preact/hooks";
import { Ban, Combine, Download, Ellipsis, Inbox, LockOpen, Trash2 } from "lucide-preact";
import type { ContactProfile } from "../../protocol/contacts.ts";
import { contactName } from "../format/names.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { ApiError } from "../live/api.ts";
import { navigate } from "../live/page_navigation.ts";
import { useWorkspace } from "../shell/context.ts";
import { DangerForm } from "../ui/DangerForm.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Menu, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { MergeForm } from "./MergeForm.tsx";

type Task = "merge" | "erase" | null;

/** What can be done with a contact: agents merge and block, admins also export and erase. */
export function ContactActions({ profile, onChange }: {
  profile: ContactProfile;
  onChange: (profile: ContactProfile) => void;
}) {
  const { request, me, fail, toasts, token } = useWorkspace();
  const [task, setTask] = useState<Task>(null);
  const { contact, blocked, episodes } = profile;
  const name = isolate(contactName(contact));
  const isAdmin = me.value.role === "admin";
  const path = `/api/contacts/${contact.id}`;

  async function block(isBlocked: boolean) {
    try {
      await request(`${path}/block`, { method: "POST", body: { blocked: isBlocked } });
      onChange(await request<ContactProfile>(`${path}/profile`));
    } catch (error) {
      return fail(error);
    }
    toasts.show({
      tone: "good",
      text: isBlocked ? `${name} cannot write any more.` : `${name} can write again.`,
      ...(isBlocked ? { action: { label: "Undo", run: () => void block(false) } } : {}),
    });
  }
  async function download() {
    try {
      const response = await fetch(`${path}/export`, {
        headers: { authorization: `Bearer ${await token()}` },
      });
      if (!response.ok) throw new ApiError(response.status, await response.json());
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = `contact-${contact.id}.zip`;
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      fail(error);
    }
  }
  const [latest] = episodes;
  return (
    <>
      {latest && (
        <a class="button" data-kind="plain" href={`/conversations/${latest.conversationId}`}>
          <Inbox size={16} aria-hidden="true" />
          Open conversation
        </a>
      )}
      <Button icon={<Combine size={16} aria-hidden="true" />} onClick={() => setTask("merge")}>
        Merge
      </Button>
      <Menu
        label={`Actions on ${name}`}
        align="end"
        trigger={(props) => (
          <IconButton label={`Actions on ${name}`} tipAt="start" {...props}>
            <Ellipsis size={16} />
          </IconButton>
        )}
      >
        {(close) => {
          const then = (act: () => void) => () => {
            close();
            act();
          };
          return (
            <>
              {blocked === null
                ? (
                  <MenuItem icon={<Ban size={16} />} onSelect={then(() => void block(true))}>
                    Block
                  </MenuItem>
                )
                : (
                  <MenuItem icon={<LockOpen size={16} />} onSelect={then(() => void block(false))}>
                    Unblock
                  </MenuItem>
                )}
              {isAdmin && (
                <>
                  <MenuItem icon={<Download size={16} />} onSelect={then(() => void download())}>
                    Download all data
                  </MenuItem>
                  <MenuLine />
                  <MenuItem icon={<Trash2 size={16} />} onSelect={then(() => setTask("erase"))}>
                    Erase…
                  </MenuItem>
                </>
              )}
            </>
          );
        }}
      </Menu>
      <Dialog
        open={task === "merge"}
        title={`Merge with ${name}`}
        onClose={() => setTask(null)}
        focusInside
      >
        {task === "merge" && (
          <MergeForm
            profile={profile}
            onClose={() => setTask(null)}
            onDone={(merged) => {
              setTask(null);
              onChange(merged);
            }}
          />
        )}
      </Dialog>
      <Dialog open={task === "erase"} title={`Erase ${name}?`} onClose={() => setTask(null)}>
        {task === "erase" && (
          <DangerForm
            action="Erase for good"
            onCancel={() => setTask(null)}
            run={async () => {
              await request(path, { method: "DELETE" });
              navigate("/contacts");
            }}
          >
            <p>
              Everything of this person is deleted: their conversations with all messages and files,
              notes, pages, ratings, and what search and other clients still have of them. In
              conversations that somebody else started, their messages become empty.
            </p>
            <p>
              This cannot be undone. Download their data first if anybody may need it.
            </p>
          </DangerForm>
        )}
      </Dialog>
    </>
  );
}
