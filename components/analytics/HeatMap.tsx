import type { HeatMapResponse } from "../../protocol/analytics.ts";
import { TITLES, valueText } from "./values.ts";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/** Hours between two labels above the table. */
const EVERY = 3;

/** The hours of the week: the stronger the colour, the higher the value. */
export function HeatMap({ heat }: { heat: HeatMapResponse }) {
  const { days, unit, metric } = heat;
  const most = Math.max(0, ...days.flat().map((value) => value ?? 0));
  return (
    // On a phone it scrolls sideways, also by keyboard.
    <div class="heat-holder" role="region" aria-label="Hours of the week" tabIndex={0}>
      <table class="heat">
        <caption class="sr-only">{`${TITLES[metric]} by hour of the week`}</caption>
        <thead>
          <tr>
            <td />
            {days[0]!.map((_, hour) => (
              <th key={hour} scope="col">
                <span class={hour % EVERY === 0 ? undefined : "sr-only"}>{hour}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((hours, day) => (
            <tr key={day}>
              <th scope="row">{DAYS[day]!.slice(0, 3)}</th>
              {hours.map((value, hour) => (
                <td
                  key={hour}
                  style={{ "--share": most === 0 ? 0 : (value ?? 0) / most }}
                  title={`${DAYS[day]}, ${hour}:00: ${valueText(value, unit)}`}
                >
                  <span class="sr-only">{valueText(value, unit)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
