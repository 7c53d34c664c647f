import type { MetricDescription, MetricName } from "../../protocol/analytics.ts";
import type { AnalyticsModel } from "./analytics_model.ts";
import { LIVE_TITLES, TITLES, valueText } from "./values.ts";

const FAMILIES = [
  { family: "activity", title: "Now" },
  { family: "engagement", title: "Engagement, last 24 hours" },
  { family: "performance", title: "Performance, last 24 hours" },
] as const;

/** The current values. A metric with a history has a button to its chart. */
export function LiveTiles({ model }: { model: AnalyticsModel }) {
  const known = model.known.value ?? [];
  return (
    <>
      {FAMILIES.map(({ family, title }) => (
        <section key={family} class="tiles" aria-labelledby={`tiles-${family}`}>
          <h2 id={`tiles-${family}`}>{title}</h2>
          <ul>
            {known.filter((one) =>
              one.family === family
            ).map((one) => (
              <li key={one.name}>
                <Tile one={one} model={model} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function Tile({ one, model }: { one: MetricDescription; model: AnalyticsModel }) {
  const { name, unit, about, history } = one;
  const words = (
    <>
      <span>{LIVE_TITLES[name] ?? TITLES[name as MetricName]}</span>
      <strong>{valueText(model.live.value[name], unit)}</strong>
    </>
  );
  if (!history) return <div class="tile" title={about}>{words}</div>;
  return (
    <button
      type="button"
      class="tile"
      title={about}
      aria-pressed={model.metric.value === name}
      onClick={() => model.setMetric(name)}
    >
      {words}
    </button>
  );
}
