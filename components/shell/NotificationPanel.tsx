import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import {
  AlarmClock,
  AtSign,
  Bell,
  CheckCheck,
  Hourglass,
  MessageCircle,
  MessageCirclePlus,
  Settings2,
  UserPlus,
} from "lucide-preact";
import type { Notification } from "../../protocol/model.ts";
import { hrefOf } from "../live/notifications_model.ts";
import { shortAge } from "../format/time.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { Time } from "../ui/Time.tsx";
import { useWorkspace } from "./context.ts";

const ICONS: Record<string, typeof Bell> = {
  assigned: UserPlus,
  mention: AtSign,
  new_conversation: MessageCirclePlus,
  message: MessageCircle,
  waiting: Hourglass,
  snooze_ended: AlarmClock,
};

/** The list of notifications. */
export function NotificationPanel({ id, leave }: { id: string; leave: () => void }) {
  const { notifications } = useWorkspace();
  const { items, unread, status, hasMore, loadingMore } = notifications;
  const list = useRef<HTMLUListElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);

  const onKeyDown = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    if (event.key === "Escape") return;
    const links = [...list.current?.querySelectorAll<HTMLElement>(".bell-open") ?? []];
    const row = document.activeElement?.closest("li")?.querySelector<HTMLElement>(".bell-open");
    const at = row ? links.indexOf(row) : -1;
    const to = {
      ArrowDown: links[Math.min(at + 1, links.length - 1)],
      ArrowUp: links[Math.max(at - 1, 0)],
      Home: links[0],
      End: links.at(-1),
    }[event.key];
    if (to) {
      event.preventDefault();
      to.focus();
    }
    // The page's shortcuts do not act while the list is open.
    event.stopPropagation();
  };

  return (
    <section
      class="bell-panel"
      id={id}
      role="dialog"
      aria-labelledby={`${id}-title`}
      onKeyDown={onKeyDown}
    >
      <div class="bell-head">
        <h2 ref={heading} id={`${id}-title`} tabIndex={-1}>Notifications</h2>
        <Button
          size="s"
          kind="quiet"
          unavailable={unread.value === 0}
          icon={<CheckCheck size={15} aria-hidden="true" />}
          onClick={() => void notifications.markAllRead()}
        >
          Mark all as read
        </Button>
        <a
          class="icon-button"
          data-size="s"
          href="/settings/notifications"
          aria-label="Notification settings"
          data-tip="Settings"
        >
          <Settings2 size={16} aria-hidden="true" />
        </a>
      </div>
      {status.value === "error"
        ? (
          <EmptyState
            icon={<Bell size={20} />}
            tone="bad"
            title="Notifications did not load"
            action={<Button onClick={() => void notifications.reload()}>Try again</Button>}
          >
            {notifications.error.value}
          </EmptyState>
        )
        : status.value !== "ready"
        ? <ListSkeleton rows={4} label="Loading notifications" />
        : items.value.length === 0
        ? (
          <EmptyState icon={<Bell size={20} />} title="No notifications">
            New conversations, assignments, mentions and visitors who wait appear here.
          </EmptyState>
        )
        : (
          <ul ref={list}>
            {items.value.map((one) => <Item key={one.id} notification={one} leave={leave} />)}
            {hasMore.value && (
              <li class="bell-more">
                <Button
                  size="s"
                  busy={loadingMore.value}
                  onClick={() => void notifications.loadMore()}
                >
                  Show older
                </Button>
              </li>
            )}
          </ul>
        )}
    </section>
  );
}

function Item({ notification, leave }: { notification: Notification; leave: () => void }) {
  const { notifications, clock } = useWorkspace();
  const { id, kind, title, body, readAt, createdAt } = notification;
  const Icon = ICONS[kind] ?? Bell;
  const href = hrefOf(notification);
  const words = (
    <>
      <Icon size={16} aria-hidden="true" />
      <span class="bell-words">
        <strong>
          {readAt === null && <span class="sr-only">Unread:</span>}
          <bdi>{title}</bdi>
        </strong>
        {body && <span class="bell-body" dir="auto">{body}</span>}
      </span>
      <Time iso={createdAt} clock={clock.value} as={shortAge} />
    </>
  );
  return (
    <li data-unread={readAt === null ? "" : undefined}>
      {href === null ? <div class="bell-open" tabIndex={-1}>{words}</div> : (
        <a
          class="bell-open"
          href={href}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            leave();
            notifications.open(notification);
          }}
        >
          {words}
        </a>
      )}
      {readAt === null && (
        <IconButton
          size="s"
          label="Mark as read"
          tipAt="start"
          onClick={(event) => {
            // The button disappears with the mark; the focus stays in its row.
            event.currentTarget.closest("li")?.querySelector<HTMLElement>(".bell-open")?.focus();
            void notifications.markRead(id);
          }}
        >
          <i class="bell-dot" aria-hidden="true" />
        </IconButton>
      )}
    </li>
  );
}
