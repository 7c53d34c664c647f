import { Check, CheckCheck, CircleAlert, Clock3 } from "lucide-preact";
import { type Clock, timeOfDay } from "../format/time.ts";
import { Time } from "../ui/Time.tsx";
import { TypingDots } from "../ui/TypingDots.tsx";
import { protocolOf } from "./protocols.ts";
import type { SideModel } from "./side_model.ts";
import type { Line } from "./thread.ts";
import { SIDE_WORDS } from "./words.ts";

/** The conversation as one side sees it; it stays at its end. */
export function TestThread({ model, clock }: { model: SideModel; clock: Clock }) {
  const lines = model.lines.value;
  const name = SIDE_WORDS[model.side];
  return (
    <div class="test-thread">
      <div class="test-scroll" tabIndex={0} role="log" aria-label={`Messages of the ${name}`}>
        {lines.length === 0
          ? <p class="test-empty">{emptyWords(model)}</p>
          : (
            <div class="test-lines">
              {lines.map((line) => (
                <ThreadLine key={line.key} line={line} model={model} clock={clock} />
              ))}
            </div>
          )}
      </div>
      <p class="typing" aria-live="polite">
        {model.typist.value !== null && (
          <>
            <TypingDots />
            {model.typist.value} is typing
          </>
        )}
      </p>
    </div>
  );
}

function emptyWords({ link, side }: SideModel): string {
  if (link.value.name === "connected") return "Connected. Write something on either side.";
  return side === "customer"
    ? "Connect, and this is a visitor who writes to you."
    : "Connect, and this is you, answering.";
}

function ThreadLine({ line, model, clock }: { line: Line; model: SideModel; clock: Clock }) {
  const own = line.from === model.side;
  return (
    <article
      class="bubble-line"
      data-side={own ? "own" : "contact"}
      data-starts=""
      data-ends=""
      data-receipt={own && line.state !== "stored" ? line.state : undefined}
    >
      <div class="bubble-column">
        <span class="sr-only">{own ? "You" : line.userName || "The other side"}:</span>
        <div class="bubble">{line.content}</div>
        {line.state === "failed" ? <Failed line={line} model={model} /> : (
          <p class="bubble-meta">
            {!own && line.userName && <span>{line.userName}</span>}
            <Time iso={line.createdAt} clock={clock} as={timeOfDay} />
            {line.missed && <span class="test-missed">Missed while away</span>}
            {own && <Receipt line={line} model={model} />}
          </p>
        )}
      </div>
    </article>
  );
}

function Receipt({ line, model }: { line: Line; model: SideModel }) {
  const seq = line.seq ?? Infinity;
  const { has } = protocolOf(model.protocol.value);
  const [word, Icon] = line.state === "sending"
    ? [model.link.value.name === "connected" ? "Sending" : "Waits for the connection", Clock3]
    : !has.read
    ? ["Stored", Check]
    : seq <= model.read.value
    ? ["Read", CheckCheck]
    : seq <= model.delivered.value
    ? ["Delivered", CheckCheck]
    : ["Stored", Check];
  return (
    <span class="receipt" data-receipt={word === "Read" ? "read" : undefined}>
      <Icon size={14} aria-hidden="true" />
      {word}
    </span>
  );
}

function Failed({ line, model }: { line: Line; model: SideModel }) {
  return (
    <p class="bubble-meta bubble-failed" role="alert">
      <CircleAlert size={14} aria-hidden="true" />
      <span>Not sent. {line.error}</span>
      <button type="button" onClick={() => model.retry(line)}>Retry</button>
      <button type="button" onClick={() => model.discard(line)}>Discard</button>
    </p>
  );
}
