import type { SeriesResponse } from "../../protocol/analytics.ts";
import { stretchText, valueText } from "./values.ts";

const INTERVAL_WORDS = { hour: "Hour", day: "Day", week: "Week", month: "Month" };

/** What the chart shows, in words: for keyboards, screen readers, and who wants the exact value. */
export function SeriesTable({ series, onPick }: {
  series: SeriesResponse;
  /** The stretch that was chosen, by its number; null where there is nothing behind it. */
  onPick: ((index: number) => void) | null;
}) {
  const { buckets, previous, unit } = series;
  return (
    <details class="series-table">
      <summary>As a table</summary>
      <div class="series-rows" role="region" aria-label="Values" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{INTERVAL_WORDS[series.interval]}</th>
              <th scope="col">Value</th>
              {previous !== null && <th scope="col">Before</th>}
            </tr>
          </thead>
          <tbody>
            {buckets.map(({ start, value }, index) => (
              <tr key={start}>
                <th scope="row">
                  {onPick === null
                    ? stretchText(series, index)
                    : (
                      <button type="button" class="link" onClick={() => onPick(index)}>
                        {stretchText(series, index)}
                      </button>
                    )}
                </th>
                <td>{valueText(value, unit)}</td>
                {previous !== null && <td>{valueText(previous.buckets[index]?.value, unit)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
