import type { MetricDescription, MetricFamily, MetricName } from "../../protocol/analytics.ts";
import type { AnalyticsModel } from "./analytics_model.ts";
import { LIVE_TITLES, TITLES, valueText } from "./values.ts";

/** Values of now. A metric with a history has a button to its chart. */
export function LiveTiles({ model, title, family }: {
  model: AnalyticsModel;
  title: string;
  /** Default: all families. */
  family?: MetricFamily;
}) {
  const shown = (model.known.value ?? []).filter((one) =>
    family === undefined || one.family === family
  );
  return (
    <section class="tiles" aria-labelledby="tiles">
      <h2 id="tiles">{title}</h2>
      <ul>
        {shown.map((one) => (
          <li key={one.name}>
            <Tile one={one} model={model} />
          </li>
        ))}
      </ul>
    </section>
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
