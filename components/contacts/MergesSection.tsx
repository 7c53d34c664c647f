import { useState } from "preact/hooks";
import type { ContactProfile, Merge } from "../../protocol/contacts.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { mediumTime } from "../format/time.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Time } from "../ui/Time.tsx";

/** What was merged into this contact. Each merge can be undone, also after years. */
export function MergesSection({ profile, onChange }: {
  profile: ContactProfile;
  onChange: (profile: ContactProfile) => void;
}) {
  const { request, fail, toasts, clock } = useWorkspace();
  const [busy, setBusy] = useState<string | null>(null);
  if (profile.merges.length === 0) return null;
  async function undo({ id, name }: Merge) {
    setBusy(id);
    try {
      onChange(
        await request<ContactProfile>(`/api/contacts/${profile.contact.id}/merges/${id}`, {
          method: "DELETE",
        }),
      );
      toasts.show({ tone: "good", text: `${isolate(name)} is a separate contact again.` });
    } catch (error) {
      fail(error);
    }
    setBusy(null);
  }
  return (
    <section aria-labelledby="context-merges">
      <h3 id="context-merges">Merged contacts</h3>
      <ul class="merges">
        {profile.merges.map((merge) => (
          <li key={merge.id}>
            <span>
              <bdi>{merge.name}</bdi>
              <span class="provenance">
                {merge.by !== null && `By ${isolate(merge.by)}, `}
                <Time iso={merge.at} clock={clock.value} as={mediumTime} />
              </span>
            </span>
            <Button size="s" busy={busy === merge.id} onClick={() => void undo(merge)}>
              Undo
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
