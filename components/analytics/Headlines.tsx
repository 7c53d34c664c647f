import { ArrowDown, ArrowUp } from "lucide-preact";
import type { MetricName, SeriesResponse } from "../../protocol/analytics.ts";
import type { AnalyticsModel } from "./analytics_model.ts";
import { changeText, TITLES, valueText } from "./values.ts";
import { HEADLINES } from "./view.ts";

/** Short names, and whether more is better; null: neither. */
const ABOUT: Record<typeof HEADLINES[number], { title: string; moreIsBetter: boolean | null }> = {
  conversations_started: { title: "Conversations", moreIsBetter: null },
  first_response_median: { title: "First response", moreIsBetter: false },
  resolution_median: { title: "Resolution", moreIsBetter: false },
  satisfaction: { title: "Satisfaction", moreIsBetter: true },
};

/** Four figures to decide with, each with its trend, and a button to its chart. */
export function Headlines({ model }: { model: AnalyticsModel }) {
  const series = model.headlines.value;
  return (
    <ul class="headlines" aria-label="Headline figures">
      {HEADLINES.map((name) => (
        <li key={name}>
          <button
            type="button"
            class="tile"
            title={TITLES[name]}
            aria-pressed={model.metric.value === name}
            onClick={() => model.setMetric(name as MetricName)}
          >
            <span>{ABOUT[name].title}</span>
            <strong>
              {valueText(series?.[name]?.total, series?.[name]?.unit ?? "count")}
            </strong>
            <Trend series={series?.[name]} moreIsBetter={ABOUT[name].moreIsBetter} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Trend({ series, moreIsBetter }: {
  series: SeriesResponse | undefined;
  moreIsBetter: boolean | null;
}) {
  const { total = null, previous } = series ?? {};
  const before = previous?.total ?? null;
  const text = changeText(total, before);
  if (series === undefined || text === null) {
    return <span class="trend">{series && !before ? "None before" : "–"}</span>;
  }
  const isMore = total! > before!;
  const isSame = text === "as before";
  const tone = isSame || moreIsBetter === null
    ? undefined
    : isMore === moreIsBetter
    ? "good"
    : "bad";
  const Arrow = isMore ? ArrowUp : ArrowDown;
  return (
    <span class="trend" data-tone={tone} title={`${valueText(before, series.unit)} before`}>
      {!isSame && <Arrow size={14} aria-hidden="true" />}
      {isSame ? "As before" : text}
    </span>
  );
}
