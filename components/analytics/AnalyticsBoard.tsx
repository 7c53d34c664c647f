import { useEffect, useMemo } from "preact/hooks";
import { Download } from "lucide-preact";
import type { MetricDimension, MetricName, SeriesResponse } from "../../protocol/analytics.ts";
import { useWorkspace } from "../shell/context.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { Button } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { type AnalyticsModel, createAnalyticsModel } from "./analytics_model.ts";
import { Breakdowns } from "./Breakdowns.tsx";
import { DrillDownList } from "./DrillDownList.tsx";
import { Headlines } from "./Headlines.tsx";
import { HeatMap } from "./HeatMap.tsx";
import { LiveTiles } from "./LiveTiles.tsx";
import { Ratings } from "./Ratings.tsx";
import { RangeFields } from "./RangeFields.tsx";
import { PART_HUES, partColour, SeriesChart } from "./SeriesChart.tsx";
import { SeriesTable } from "./SeriesTable.tsx";
import { bucketText, changeText, DIMENSION_WORDS, TITLES, valueText } from "./values.ts";
import { type BoardKind, RANGES } from "./view.ts";

const RANGE_WORDS = {
  today: "Today",
  7: "7 days",
  30: "30 days",
  90: "90 days",
  custom: "Custom",
};

/** Figures of the team, or of the server and its network. */
export function AnalyticsBoard({ kind = "team" }: { kind?: BoardKind }) {
  const workspace = useWorkspace();
  const model = useMemo(() => createAnalyticsModel(workspace, kind), []);
  useEffect(() => model.whenAlive(model.begin), []);
  const { known, problem, heat } = model;
  const isAdmin = workspace.me.value.role === "admin";
  return (
    <div class="page-width analytics" data-wide="">
      {kind === "team"
        ? (
          <PageHead
            title="Analytics"
            action={isAdmin && <a class="link" href="/analytics/delivery">Delivery figures</a>}
          />
        )
        : (
          <PageHead
            back={{ href: "/analytics", label: "Analytics" }}
            title="Delivery"
            lead="How fast messages arrive, and how connections hold. For operators."
          />
        )}
      {kind === "delivery" && !isAdmin
        ? <Notice tone="plain">Only admins can see delivery figures.</Notice>
        : (
          <>
            {problem.value !== null && (
              <Notice>
                {problem.value}{" "}
                <button type="button" class="link" onClick={model.read}>Try again</button>
              </Notice>
            )}
            {known.value === null
              ? problem.value === null && <ListSkeleton rows={6} label="Loading figures" />
              : (
                <>
                  <Range model={model} />
                  {kind === "team"
                    ? <Headlines model={model} />
                    : <LiveTiles model={model} title="Last 24 hours" />}
                  <Series model={model} />
                  <Details model={model} />
                  {kind === "team" && <Breakdowns model={model} />}
                  {kind === "team" && <Ratings model={model} />}
                  {heat.value !== null && (
                    <section class="figure-part" aria-labelledby="heat">
                      <h2 id="heat">By hour of the week</h2>
                      <HeatMap heat={heat.value} />
                    </section>
                  )}
                  {kind === "team" && <LiveTiles model={model} title="Now" family="activity" />}
                </>
              )}
          </>
        )}
    </div>
  );
}

function Range({ model }: { model: AnalyticsModel }) {
  return (
    <div class="figure-range">
      <Choice
        label="Range"
        name="range"
        value={model.range.value}
        options={RANGES.map((value) => ({ value, label: RANGE_WORDS[value] }))}
        onChange={model.setRange}
      />
      {model.range.value === "custom" && (
        <RangeFields days={model.days.value} onChange={model.setDays} />
      )}
    </div>
  );
}

/** The chosen figure over time. */
function Series({ model }: { model: AnalyticsModel }) {
  const workspace = useWorkspace();
  const series = model.series.value;
  if (series === null) return null;
  return (
    <section class="figure-part" aria-labelledby="series" aria-busy={model.loading.value}>
      <SeriesHead model={model} series={series} />
      <SeriesChart
        series={series}
        clock={workspace.clock.value}
        theme={workspace.theme.value}
        onPick={(index) => showBucket(model, series, index)}
      />
      <Controls model={model} />
      <SeriesTable
        series={series}
        onPick={model.chosen.value?.conversations
          ? (index) => showBucket(model, series, index)
          : null}
      />
      {model.by.value !== "" && <Parts model={model} series={series} />}
    </section>
  );
}

function Details({ model }: { model: AnalyticsModel }) {
  const drillDown = model.drillDown.value;
  if (drillDown === null) return null;
  return (
    <DrillDownList
      drillDown={drillDown}
      unit={model.chosen.value?.unit ?? "count"}
      onClose={model.hideDrillDown}
    />
  );
}

function Controls({ model }: { model: AnalyticsModel }) {
  const metrics = (model.known.value ?? []).filter(({ history }) => history);
  const dimensions = model.dimensions.value;
  return (
    <div class="figure-controls">
      <Select
        id="metric"
        label="Figure"
        value={model.metric.value}
        options={metrics.map(({ name }) => ({ value: name, label: TITLES[name] }))}
        onChange={(next) => model.setMetric(next as MetricName)}
      />
      {dimensions.length > 0 && (
        <Select
          id="by"
          label="Break down by"
          value={model.by.value}
          options={[
            { value: "", label: "Nothing" },
            ...dimensions.map((one) => ({ value: one, label: DIMENSION_WORDS[one] })),
          ]}
          onChange={(next) => model.setBy(next as MetricDimension | "")}
        />
      )}
      <Button icon={<Download size={16} aria-hidden="true" />} onClick={model.download}>
        CSV
      </Button>
    </div>
  );
}

function SeriesHead({ model, series }: { model: AnalyticsModel; series: SeriesResponse }) {
  const { metric, unit, total, previous } = series;
  const change = previous === null ? null : changeText(total, previous.total);
  const about = model.known.value?.find(({ name }) => name === metric);
  return (
    <header class="series-head">
      <div>
        <h2 id="series">{TITLES[metric]}</h2>
        <p>
          {about?.about}
          {unit === "seconds" && (
            <>
              {" "}
              <a class="link" href="/settings/business-hours">Business hours</a>
            </>
          )}
        </p>
      </div>
      <p class="series-total">
        <strong>{valueText(total, unit)}</strong>
        <span>
          {change !== null && `${change}, `}
          {`${valueText(previous?.total, unit)} in the previous period`}
        </span>
      </p>
      {about?.conversations && (
        <Button
          size="s"
          onClick={() => model.showDrillDown(`Conversations: ${TITLES[metric]}`)}
        >
          Conversations
        </Button>
      )}
    </header>
  );
}

/** Shows the conversations of the hour or day that was clicked in the chart. */
function showBucket(model: AnalyticsModel, series: SeriesResponse, index: number): void {
  const bucket = series.buckets[index];
  if (bucket === undefined || !model.chosen.value?.conversations) return;
  void model.showDrillDown(`${TITLES[series.metric]}, ${bucketText(series, index)}`, {
    from: bucket.start,
    to: bucket.end,
  });
}

function Parts({ model, series }: { model: AnalyticsModel; series: SeriesResponse }) {
  const { parts, unit, metric } = series;
  const most = Math.max(...parts.map(({ total }) => total ?? 0));
  const by = model.by.value;
  const canDrillDown = model.chosen.value?.conversations === true;
  if (parts.length === 0) return <p class="figure-none parts">Nothing happened in this range.</p>;
  return (
    <ul class="parts">
      {parts.map(({ key, name, total }, index) => (
        <li key={key}>
          <button
            type="button"
            disabled={!canDrillDown}
            onClick={() => model.showDrillDown(`${TITLES[metric]}, ${name}`, { by, key })}
          >
            <i
              aria-hidden="true"
              style={index < PART_HUES.length ? { background: partColour(index) } : undefined}
            />
            <span>{name}</span>
            <meter min={0} max={most || 1} value={total ?? 0} aria-hidden="true" />
            <b>{valueText(total, unit)}</b>
          </button>
        </li>
      ))}
    </ul>
  );
}
