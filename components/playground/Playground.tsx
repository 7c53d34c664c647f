import { useEffect, useState } from "preact/hooks";
import { Inbox, LogIn, MessageSquareCode, RotateCcw } from "lucide-preact";
import { errorText } from "../live/api.ts";
import type { Clock } from "../format/time.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { Button } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Notice } from "../ui/Notice.tsx";
import type { Side } from "./adapter.ts";
import type { PlaygroundModel } from "./playground_model.ts";
import { SidePane } from "./SidePane.tsx";
import { linkTone, SIDE_WORDS } from "./words.ts";

/** Customer and agent side by side, each with its own choice of protocol. */
export function Playground({ model, clock, hasWidget, signedIn }: {
  model: PlaygroundModel;
  clock: Clock;
  hasWidget: boolean;
  signedIn: boolean;
}) {
  const [shown, setShown] = useState<Side>("customer");
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => model.begin(), []);
  const id = model.conversationId.value;
  const startAnew = () => {
    setProblem(null);
    model.startAnew().catch((error) => setProblem(errorText(error)));
  };
  return (
    <div class="page-width" data-wide>
      <PageHead
        back={signedIn ? { href: "/settings/websocket", label: "WebSocket settings" } : undefined}
        title="WebSocket test"
        lead="Both ends of one conversation, and every frame between them and the server."
        action={
          <>
            {signedIn && id !== null && (
              <a class="button" data-kind="plain" href={`/conversations/${id}`}>
                <Inbox size={16} aria-hidden="true" /> Open in the inbox
              </a>
            )}
            <Button
              icon={<RotateCcw size={16} aria-hidden="true" />}
              unavailable={id === null}
              onClick={startAnew}
            >
              New conversation
            </Button>
          </>
        }
      />
      <div aria-live="assertive">{problem && <Notice>{problem}</Notice>}</div>
      {hasWidget
        ? (
          <>
            <div class="only-phone">
              <Choice
                label="Side"
                labelHidden
                name="shown-side"
                value={shown}
                options={[model.customer, model.agent].map(({ side, link }) => ({
                  value: side,
                  label: SIDE_WORDS[side],
                  icon: <i class="link-dot" data-tone={linkTone(link.value)} aria-hidden="true" />,
                }))}
                onChange={setShown}
              />
            </div>
            <div class="test-sides" data-shown={shown}>
              <SidePane model={model.customer} clock={clock} />
              <SidePane
                model={model.agent}
                clock={clock}
                instead={signedIn ? undefined : <SignInFirst />}
              />
            </div>
          </>
        )
        : <NoWidget signedIn={signedIn} />}
    </div>
  );
}

function SignInFirst() {
  return (
    <EmptyState
      icon={<LogIn size={20} />}
      title="Nobody is signed in"
      action={
        <a class="button" data-kind="primary" href="/login?next=%2Fwebsocket-test">Sign in</a>
      }
    >
      The agent's side is you, once you have signed in. The customer's side works without.
    </EmptyState>
  );
}

function NoWidget({ signedIn }: { signedIn: boolean }) {
  return (
    <EmptyState
      icon={<MessageSquareCode size={20} />}
      title="No widget is switched on"
      action={signedIn && (
        <a class="button" data-kind="primary" href="/widgets">
          Show all widgets
        </a>
      )}
    >
      The customer's side needs a widget, like any visitor. Switch one on first.
    </EmptyState>
  );
}
