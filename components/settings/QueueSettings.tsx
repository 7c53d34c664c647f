import { useState } from "preact/hooks";
import type { QueueSettings as Settings, UpdateQueueBody } from "../../protocol/queue.ts";
import { useWorkspace } from "../shell/context.ts";
import { Notice } from "../ui/Notice.tsx";
import { Section } from "../ui/Section.tsx";
import { Switch } from "../ui/Switch.tsx";

/** Each setting is saved when it is changed. */
export function QueueSettings({ settings }: { settings: Settings }) {
  const { user, request, fail, toasts } = useWorkspace();
  const [current, setCurrent] = useState(settings);
  const locked = user.role !== "admin";

  async function save(body: UpdateQueueBody) {
    const before = current;
    setCurrent({ ...current, ...body });
    try {
      setCurrent(await request<Settings>("/api/queue-settings", { method: "PATCH", body }));
      toasts.show({ tone: "good", text: "Saved." });
    } catch (error) {
      setCurrent(before);
      fail(error);
    }
  }

  return (
    <>
      {locked && <Notice tone="plain">Only admins can change these settings.</Notice>}
      <fieldset class="bare" disabled={locked}>
        <Section id="replies" title="Replies">
          <Switch
            id="assign-on-reply"
            label="Assign to the agent who replies"
            hint="An unassigned conversation becomes theirs. Notes do not count as replies."
            checked={current.assignOnReply}
            onChange={(assignOnReply) => save({ assignOnReply })}
          />
        </Section>
      </fieldset>
    </>
  );
}
