import { useState } from "preact/hooks";
import { ArrowDown, ArrowUp, ChevronRight, Dot, Trash2 } from "lucide-preact";
import type { Clock } from "../format/time.ts";
import { Button } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import {
  type Direction,
  EVERYTHING,
  filterFrames,
  type Frame,
  type FrameFilter,
  framesAsText,
  MAX_FRAMES,
  prettyFrame,
} from "./frames.ts";
import { bytesWords } from "./words.ts";

export interface FrameLogProps {
  /** Makes ids unique among the logs of a page. */
  id: string;
  label: string;
  frames: readonly Frame[];
  clock: Clock;
  /** Shown while the log is empty. */
  empty: string;
  onClear: () => void;
}

const DIRECTIONS = [
  { value: "all", label: "All" },
  { value: "in", label: "In" },
  { value: "out", label: "Out" },
] as const;

/** All frames, newest at the end. The log stays at its end. */
export function FrameLog({ id, label, frames, clock, empty, onClear }: FrameLogProps) {
  const [filter, setFilter] = useState<FrameFilter>(EVERYTHING);
  const change = (part: Partial<FrameFilter>) => setFilter((now) => ({ ...now, ...part }));
  const shown = filterFrames(frames, filter);
  const count = shown.length === frames.length
    ? `${frames.length}`
    : `${shown.length} of ${frames.length}`;
  return (
    <section class="frame-log" aria-labelledby={`${id}-title`}>
      <header>
        <h3 id={`${id}-title`}>
          {label} <span class="frame-count tabular">{count}</span>
        </h3>
        <CopyButton kind="quiet" size="s" text={() => framesAsText(shown)}>Copy</CopyButton>
        <Button
          kind="quiet"
          size="s"
          icon={<Trash2 size={16} aria-hidden="true" />}
          onClick={onClear}
        >
          Clear
        </Button>
      </header>
      <div class="frame-filter">
        <Choice
          label="Direction"
          labelHidden
          name={`${id}-direction`}
          value={filter.direction}
          options={DIRECTIONS}
          onChange={(direction) => change({ direction })}
        />
        <input
          type="search"
          aria-label={`Filter: ${label}`}
          placeholder="Type or text"
          value={filter.query}
          onInput={(event) => change({ query: event.currentTarget.value })}
        />
        <label class="frame-pings">
          <input
            type="checkbox"
            checked={filter.pings}
            onChange={(event) => change({ pings: event.currentTarget.checked })}
          />
          Pings
        </label>
      </div>
      <div class="frame-scroll" tabIndex={0} role="region" aria-label={label}>
        {shown.length === 0
          ? (
            <p class="frame-none">
              {frames.length === 0 ? empty : "No frame matches the filter."}
            </p>
          )
          : (
            <ol class="frame-list">
              {frames.length === MAX_FRAMES && (
                <li class="frame-none">Only the newest {MAX_FRAMES} are kept.</li>
              )}
              {shown.map((frame) => <FrameRow key={frame.id} frame={frame} clock={clock} />)}
            </ol>
          )}
      </div>
    </section>
  );
}

const ARROWS: Record<Direction, { Icon: typeof ArrowUp; word: string }> = {
  in: { Icon: ArrowDown, word: "Received" },
  out: { Icon: ArrowUp, word: "Sent" },
  note: { Icon: Dot, word: "Connection" },
};

function FrameRow({ frame, clock }: { frame: Frame; clock: Clock }) {
  const [open, setOpen] = useState(false);
  const { Icon, word } = ARROWS[frame.direction];
  const time = <span class="frame-time tabular">{frameTime(frame.at, clock)}</span>;
  if (frame.direction === "note") {
    return (
      <li class="frame" data-direction="note">
        <p class="frame-line">
          <Icon size={14} aria-hidden="true" />
          {time}
          <span class="frame-note">{frame.text}</span>
        </p>
      </li>
    );
  }
  return (
    <li class="frame" data-direction={frame.direction}>
      <button
        type="button"
        class="frame-line"
        aria-expanded={open ? "true" : "false"}
        onClick={() => setOpen(!open)}
      >
        <Icon size={14} aria-hidden="true" />
        <span class="sr-only">{word}</span>
        {time}
        <span class="frame-type">{frame.type}</span>
        <span class="frame-bytes tabular">{bytesWords(frame.bytes)}</span>
        <ChevronRight class="frame-more" size={14} aria-hidden="true" />
      </button>
      {open && <pre class="frame-text" tabIndex={0}>{prettyFrame(frame)}</pre>}
    </li>
  );
}

/** Making a formatter is slow, and every row has a time. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** "14:05:09.123". */
function frameTime(at: number, { zone }: Clock): string {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
    });
    formatters.set(zone, formatter);
  }
  return formatter.format(at);
}
