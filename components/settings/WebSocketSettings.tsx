import { useEffect, useMemo } from "preact/hooks";
import { ArrowUpRight, Plug, Unplug } from "lucide-preact";
import type { TopicsState } from "../../client/topics.ts";
import type { Limit } from "../../domain/dashboard.ts";
import type { Conversation } from "../../protocol/model.ts";
import { FrameLog } from "../playground/FrameLog.tsx";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Section } from "../ui/Section.tsx";
import { Limits, ServerFacts } from "./ServerFacts.tsx";
import { SettingsFrame } from "./SettingsFrame.tsx";
import { SubscribeForm, Subscriptions } from "./SubscribeForm.tsx";
import { TestMessageForm } from "./TestMessageForm.tsx";
import { createWebSocketModel, type WebSocketModel } from "./websocket_model.ts";

export function WebSocketSettings({ latest, limits }: {
  latest: readonly Conversation[];
  limits: readonly Limit[];
}) {
  const workspace = useWorkspace();
  const model = useMemo(() => createWebSocketModel(workspace), []);
  useEffect(() => model.end, []);
  return (
    <SettingsFrame
      path="/settings/websocket"
      title="WebSocket"
      lead="Subscribe to conversations the way your own programs do."
      action={
        <a class="button" data-kind="plain" href="/websocket-test">
          Test page
          <ArrowUpRight size={16} aria-hidden="true" />
        </a>
      }
    >
      <Section
        id="connection"
        title="Connection"
        lead={
          <>
            Topics at <span class="mono">/api/v1/ws</span>, as you.
          </>
        }
      >
        <ConnectionPart model={model} />
      </Section>
      <Section id="subscriptions" title="Subscriptions" lead="Kept across reconnections.">
        <SubscribeForm model={model} latest={latest} />
        <Subscriptions model={model} />
      </Section>
      <Section id="test-message" title="Test message" lead="Measures the round-trip time.">
        <TestMessageForm model={model} />
      </Section>
      <div class="settings-log">
        <FrameLog
          id="events"
          label="Last events"
          frames={model.frames.value}
          clock={workspace.clock.value}
          empty="Connect and subscribe. What happens in the conversation then appears here."
          onClear={model.clearFrames}
        />
      </div>
      <Section id="server" title="This server" lead="Its current state.">
        <ServerFacts />
      </Section>
      <Section
        id="limits"
        title="Limits"
        lead="They apply to every client, and are set by environment variables."
      >
        <Limits limits={limits} />
      </Section>
    </SettingsFrame>
  );
}

const STATES: Record<TopicsState, { word: string; tone: "good" | "warn" | "bad" | "plain" }> = {
  idle: { word: "Offline", tone: "plain" },
  connecting: { word: "Connecting", tone: "warn" },
  live: { word: "Live", tone: "good" },
  polling: { word: "Offline, polling every 3 s", tone: "warn" },
  failed: { word: "Offline, refused", tone: "bad" },
  closed: { word: "Offline", tone: "plain" },
};

function ConnectionPart({ model }: { model: WebSocketModel }) {
  const state = model.state.value;
  const off = state === "idle" || state === "closed" || state === "failed";
  const { word, tone } = STATES[state];
  return (
    <>
      <div class="connection-part">
        <p class="link-pill" role="status" data-tone={tone}>
          <i aria-hidden="true" />
          {word}
        </p>
        {off
          ? (
            <Button
              kind="primary"
              icon={<Plug size={16} aria-hidden="true" />}
              onClick={model.connect}
            >
              Connect
            </Button>
          )
          : (
            <Button icon={<Unplug size={16} aria-hidden="true" />} onClick={model.disconnect}>
              Disconnect
            </Button>
          )}
      </div>
      <div aria-live="assertive">
        {model.problem.value !== null && <Notice>{model.problem.value}</Notice>}
      </div>
    </>
  );
}
