import { useEffect, useState } from "preact/hooks";
import { Download } from "lucide-preact";
import type { Breakdown, MetricDimension } from "../../protocol/analytics.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { Notice } from "../ui/Notice.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import type { AnalyticsModel } from "./analytics_model.ts";
import { COLUMN_TITLES, DIMENSION_WORDS, TITLES, valueText } from "./values.ts";

/** The figures of the range by agent, team, channel or label. */
export function Breakdowns({ model }: { model: AnalyticsModel }) {
  const { request, me } = useWorkspace();
  const dimensions = (["agent", "team", "label", "channel"] as const)
    .filter((one) => one !== "agent" || me.value.role === "admin");
  const [by, setBy] = useState<MetricDimension>(dimensions[0]!);
  const [table, setTable] = useState<Breakdown | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  function load(signal?: AbortSignal) {
    request<Breakdown>(`/api/analytics/breakdown?by=${by}&${model.rangeQuery()}`, { signal }).then(
      (next) => {
        setTable(next);
        setProblem(null);
      },
      (error) => signal?.aborted || setProblem(errorText(error)),
    );
  }
  const readings = model.readAt.value;
  // With the other figures, which are read again when the range changes.
  useEffect(() => {
    if (readings === 0) return;
    const ended = new AbortController();
    load(ended.signal);
    return () => ended.abort();
  }, [by, readings]);

  return (
    <section class="figure-part breakdown" aria-labelledby="breakdown">
      <header class="ratings-head">
        <h2 id="breakdown">In detail</h2>
        <Choice
          label="By"
          name="breakdown"
          value={by}
          options={dimensions.map((value) => ({ value, label: DIMENSION_WORDS[value] }))}
          onChange={setBy}
        />
        <Button
          size="s"
          icon={<Download size={16} aria-hidden="true" />}
          onClick={() => model.downloadBreakdown(by)}
        >
          CSV
        </Button>
      </header>
      {problem !== null && (
        <Notice>
          {problem} <button type="button" class="link" onClick={() => load()}>Try again</button>
        </Notice>
      )}
      {table === null
        ? problem === null && <ListSkeleton rows={3} label="Loading the table" />
        : table.rows.length === 0
        ? <p class="figure-none">Nothing happened in this range.</p>
        : <Table table={table} model={model} />}
    </section>
  );
}

function Table({ table, model }: { table: Breakdown; model: AnalyticsModel }) {
  const { by, columns, rows } = table;
  return (
    // On a phone it scrolls sideways, also by keyboard.
    <div class="heat-holder" role="region" aria-label="Figures in detail" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{DIMENSION_WORDS[by]}</th>
            {columns.map(({ metric }) => (
              <th key={metric} scope="col" title={TITLES[metric]}>
                {COLUMN_TITLES[metric] ?? TITLES[metric]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, values }) => (
            <tr key={key}>
              <th scope="row">
                <button
                  type="button"
                  class="link"
                  onClick={() =>
                    model.showDrillDown(`Conversations resolved, ${name}`, {
                      metric: "conversations_resolved",
                      by,
                      key,
                    })}
                >
                  <bdi>{name}</bdi>
                </button>
              </th>
              {values.map((value, i) => <td key={i}>{valueText(value, columns[i]!.unit)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
