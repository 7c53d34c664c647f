import { CircleAlert, Clock } from "lucide-preact";
import type { ScheduledMessage } from "../../../protocol/scheduled_messages.ts";
import { Button } from "../../ui/Button.tsx";
import { useInbox } from "../context.ts";
import { whenWords } from "./times.ts";

/** The replies of this conversation that are sent later. */
export function ScheduledMessages({ items, onEdit }: {
  items: readonly ScheduledMessage[];
  /** Its text goes back into the composer. */
  onEdit: (content: string) => void;
}) {
  const inbox = useInbox();
  const { scheduled, me, clock, fail } = inbox;
  async function edit(one: ScheduledMessage) {
    await scheduled.cancel(one);
    onEdit(one.content);
  }
  return (
    <section class="composer-signs scheduled" aria-label="Scheduled replies">
      {items.map((one) => {
        const { id, sender, sendAt, content, error } = one;
        const isOwn = sender.userId === me.value.id;
        const mayChange = isOwn || me.value.role === "admin";
        return (
          <div key={id} class="composer-sign" data-choice="" data-tone={error ? "warn" : "plain"}>
            {error
              ? <CircleAlert size={14} aria-hidden="true" />
              : <Clock size={14} aria-hidden="true" />}
            <p>
              <span>
                {error ? `Not sent: ${error}.` : `Scheduled for ${whenWords(sendAt, clock.value)}`}
                {!isOwn && ` · ${sender.userName}`}
              </span>
              <span class="composer-preview truncate" dir="auto">{content}</span>
            </p>
            {mayChange && (
              <span class="composer-choice">
                <Button
                  size="s"
                  onClick={() => scheduled.sendNow(one).catch(fail)}
                >
                  Send now
                </Button>
                {isOwn && (
                  <Button
                    size="s"
                    kind="quiet"
                    onClick={() => edit(one).catch(fail)}
                  >
                    Edit
                  </Button>
                )}
                <Button
                  size="s"
                  kind="quiet"
                  onClick={() =>
                    scheduled.cancel(one).catch(fail)}
                >
                  {error ? "Delete" : "Cancel"}
                </Button>
              </span>
            )}
          </div>
        );
      })}
    </section>
  );
}
