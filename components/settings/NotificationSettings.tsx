import { useEffect, useState } from "preact/hooks";
import { BellRing, Volume2 } from "lucide-preact";
import type { NotificationKind, NotificationWays } from "../../protocol/notifications.ts";
import { playSound } from "../live/sound.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Section } from "../ui/Section.tsx";

const WORDS: Record<NotificationKind, { name: string; about: string }> = {
  assigned: { name: "Assignment", about: "Somebody assigns you a conversation" },
  mention: { name: "Mention", about: "A colleague writes @ and your name" },
  new_conversation: {
    name: "New conversation",
    about: "A visitor starts a conversation or comes back",
  },
  message: { name: "Message", about: "In a conversation assigned to you" },
  waiting: { name: "Long wait", about: "A visitor has waited too long for an answer" },
  snooze_ended: { name: "End of a snooze", about: "A conversation of yours is back" },
};
const KINDS = Object.keys(WORDS) as NotificationKind[];
const WAYS: { way: keyof NotificationWays; label: string }[] = [
  { way: "bell", label: "In the bell" },
  { way: "sound", label: "Sound" },
  { way: "browser", label: "Browser" },
];

export function NotificationSettings() {
  return (
    <>
      <Section
        id="kinds"
        title="Events"
        lead="Events that are off in the bell make no sound and show no pop-up. The conversation you have open doesn't either."
      >
        <Kinds />
      </Section>
      <Section id="sound" title="Sound" lead="Short and soft, once for all open tabs.">
        <div>
          <Button icon={<Volume2 size={15} aria-hidden="true" />} onClick={playSound}>
            Play the sound
          </Button>
        </div>
      </Section>
      <Section
        id="browser"
        title="Browser notifications"
        lead="Shown while this page is in the background. Each browser asks for permission."
      >
        <Permission />
      </Section>
    </>
  );
}

function Kinds() {
  const { notifications } = useWorkspace();
  const preferences = notifications.preferences.value;
  if (preferences === null) {
    const error = notifications.preferencesError.value;
    if (error === null) {
      return (
        <div class="skeleton" role="status">
          <span class="sr-only">Loading</span>
        </div>
      );
    }
    return (
      <>
        <Notice>{error}</Notice>
        <div>
          <Button onClick={() => void notifications.loadPreferences()}>Try again</Button>
        </div>
      </>
    );
  }
  return (
    <table class="ways">
      <thead>
        <tr>
          <th scope="col">Kind</th>
          {WAYS.map(({ way, label }) => <th key={way} scope="col">{label}</th>)}
        </tr>
      </thead>
      <tbody>
        {KINDS.map((kind) => (
          <tr key={kind}>
            <th scope="row">
              {WORDS[kind].name}
              <span>{WORDS[kind].about}</span>
            </th>
            {WAYS.map(({ way, label }) => (
              <td key={way}>
                <label>
                  <span class="sr-only">{WORDS[kind].name}: {label}</span>
                  <input
                    type="checkbox"
                    checked={preferences[kind][way] && (way === "bell" || preferences[kind].bell)}
                    disabled={way !== "bell" && !preferences[kind].bell}
                    onChange={(event) =>
                      void notifications.setWay(kind, way, event.currentTarget.checked)}
                  />
                </label>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type Allowed = NotificationPermission | "missing" | "insecure" | "unknown";

function Permission() {
  const [allowed, setAllowed] = useState<Allowed>("unknown");
  useEffect(() => {
    setAllowed(
      !isSecureContext
        ? "insecure"
        : "Notification" in globalThis
        ? Notification.permission
        : "missing",
    );
  }, []);
  if (allowed === "unknown") return null;
  if (allowed === "missing") {
    return <p class="ways-row">This browser does not support notifications.</p>;
  }
  if (allowed === "insecure") {
    return (
      <Notice tone="warn">
        Browsers show notifications only for sites with HTTPS. The bell and the sound work here,
        too.
      </Notice>
    );
  }
  if (allowed === "denied") {
    return (
      <Notice tone="warn">
        This browser blocks notifications of this site. You can allow them beside the address.
      </Notice>
    );
  }
  if (allowed === "granted") {
    return (
      <p class="ways-row">
        <BellRing size={16} aria-hidden="true" /> This browser shows them.
      </p>
    );
  }
  return (
    <div class="ways-row">
      <Button
        kind="primary"
        onClick={async () => setAllowed(await Notification.requestPermission())}
      >
        Allow in this browser
      </Button>
    </div>
  );
}
