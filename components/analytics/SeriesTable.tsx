import type { SeriesResponse } from "../../protocol/analytics.ts";
import { bucketText, valueText } from "./values.ts";

const INTERVAL_WORDS = { hour: "Hour", day: "Day", week: "Week", month: "Month" };

/** The values of the chart, for keyboards, screen readers, and to read exact values. */
export function SeriesTable({ series, onPick }: {
  series: SeriesResponse;
  /** The bucket that was chosen, by its index; null where it has no conversations to show. */
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
              {previous !== null && <th scope="col">Previous</th>}
            </tr>
          </thead>
          <tbody>
            {buckets.map(({ start, value }, index) => (
              <tr key={start}>
                <th scope="row">
                  {onPick === null
                    ? bucketText(series, index)
                    : (
                      <button type="button" class="link" onClick={() => onPick(index)}>
                        {bucketText(series, index)}
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
