import type { ComponentChildren } from "preact";
import { Headset, UserRound } from "lucide-preact";
import type { Clock } from "../format/time.ts";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";
import type { Person } from "./adapter.ts";
import { FrameLog } from "./FrameLog.tsx";
import { LinkButtons, LinkPill } from "./LinkControls.tsx";
import { aboutProtocol, type ProtocolId, protocolOf, PROTOCOLS } from "./protocols.ts";
import type { SideModel } from "./side_model.ts";
import { TestComposer } from "./TestComposer.tsx";
import { TestThread } from "./TestThread.tsx";
import { latencyWords, SIDE_WORDS } from "./words.ts";

const OPTIONS = PROTOCOLS.map(({ id, label }) => ({ value: id, label }));

/** One side with its controls. `instead` replaces them where the side cannot be used. */
export function SidePane({ model, clock, instead }: {
  model: SideModel;
  clock: Clock;
  instead?: ComponentChildren;
}) {
  const { side } = model;
  const name = SIDE_WORDS[side];
  const link = model.link.value;
  const Icon = side === "customer" ? UserRound : Headset;
  return (
    <section class="test-side" data-side={side} aria-labelledby={`${side}-title`}>
      <header class="test-head">
        <Icon size={16} aria-hidden="true" />
        <h2 id={`${side}-title`}>{name}</h2>
        <LinkPill link={link} />
      </header>
      {instead ?? (
        <>
          <div class="test-controls">
            <Select
              id={`${side}-protocol`}
              label="Protocol"
              aria-describedby={`${side}-about`}
              value={model.protocol.value}
              options={OPTIONS}
              onChange={(id) => model.choose(id as ProtocolId)}
            />
            <LinkButtons
              link={link}
              actions={{
                connect: model.connect,
                disconnect: model.disconnect,
                goOffline: model.goOffline,
                comeBack: model.comeBack,
              }}
            />
            <p class="field-hint" id={`${side}-about`}>
              {aboutProtocol(protocolOf(model.protocol.value))}
            </p>
          </div>
          <div class="test-problem" aria-live="assertive">
            {model.problem.value !== null && <Notice>{model.problem.value}</Notice>}
          </div>
          <TestThread model={model} clock={clock} />
          <TestComposer model={model} />
          <p class="test-facts" role="status">{factsOf(model)}</p>
          <FrameLog
            id={`${side}-frames`}
            label={`Frames of the ${name.toLowerCase()}`}
            frames={model.frames.value}
            clock={clock}
            empty="Sent and received frames appear here."
            onClear={model.clearFrames}
          />
        </>
      )}
    </section>
  );
}

/** The line below the composer: the last measurement, and who else is there. */
function factsOf(model: SideModel): string {
  const missed = model.missed.value;
  const parts = [
    missed > 0
      ? `${missed === 1 ? "1 missed message" : `${missed} missed messages`} arrived`
      : null,
    latencyWords(model.latency.value),
    ...model.people.value.map(personWords),
  ].filter((part) => part !== null);
  return parts.length === 0 ? "Nothing measured yet" : parts.join(" · ");
}

function personWords({ userName, state }: Person): string {
  const name = userName ?? "The other side";
  if (state === "here") return `${name} is here`;
  return state === "gone" ? `${name} has left` : `${name} is ${state}`;
}
