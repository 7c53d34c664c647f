import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../live/server_time.ts";
import { Field } from "../ui/Field.tsx";
import { dayOf, type Days, troubleWith } from "./view.ts";

/**
 * The first and last day of a custom range. An invalid range shows an error and requests nothing.
 */
export function RangeFields({ days, onChange }: { days: Days; onChange: (days: Days) => void }) {
  const [chosen, setChosen] = useState(days);
  useEffect(() => setChosen(days), [days]);
  const today = dayOf(new Date(serverNow()));
  const trouble = troubleWith(chosen, today);
  const change = (part: Partial<Days>) => {
    const next = { ...chosen, ...part };
    setChosen(next);
    if (troubleWith(next, today) === null) onChange(next);
  };
  return (
    <div class="range-fields" role="group" aria-label="Days">
      <Field
        id="range-first"
        label="From"
        type="date"
        max={today}
        value={chosen.first}
        error={trouble ?? undefined}
        onInput={(event) => change({ first: event.currentTarget.value })}
      />
      <Field
        id="range-last"
        label="To, inclusive"
        type="date"
        min={chosen.first}
        value={chosen.last}
        onInput={(event) => change({ last: event.currentTarget.value })}
      />
    </div>
  );
}
