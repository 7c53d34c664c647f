import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { SeriesResponse } from "../../protocol/analytics.ts";
import { type Clock } from "../format/time.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { hourLabel, labelledBuckets, TITLES, valueText } from "./values.ts";

/** On a phone the chart has to fit on the first screen. */
const heightOf = (width: number) => width < 480 ? 190 : 260;
/** The hues of parts that can be told apart; further parts are only in the table. */
export const PART_HUES = [20, 152, 65, 330, 215];

/** The metric over time, with the previous period as a thin line, or with its parts. */
export function SeriesChart({ series, clock, theme, onPick }: {
  series: SeriesResponse;
  clock: Clock;
  /** When it changes, the colours are read from the page again. */
  theme: string;
  /** The index of the bucket that was clicked. */
  onPick: (index: number) => void;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLParagraphElement>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  useEffect(() => {
    const element = holder.current!;
    const readout = (index: number | null) => {
      line.current!.textContent = index === null ? "" : bucketLine(series, clock, index);
    };
    const options = optionsOf(series, clock, element, readout);
    const plot = new uPlot(options, dataOf(series), element);
    const width = () =>
      plot.setSize({
        width: element.clientWidth,
        height: heightOf(element.clientWidth),
      });
    const observer = new ResizeObserver(width);
    observer.observe(element);
    const onClick = () => {
      const { idx } = plot.cursor;
      if (typeof idx === "number") pick.current(idx);
    };
    plot.over.addEventListener("click", onClick);
    // With the theme "system" the system's theme may change.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => plot.redraw();
    dark.addEventListener("change", redraw);
    return () => {
      dark.removeEventListener("change", redraw);
      observer.disconnect();
      plot.destroy();
    };
  }, [series, theme, clock.zone, clock.locale]);
  return (
    <div class="series-figure" aria-hidden="true">
      <div class="series-chart" ref={holder} />
      <div class="series-legend">
        <ul>
          {linesOf(series).map(({ name, colour, dashed }) => (
            <li key={name}>
              <i data-dashed={dashed ? "" : undefined} style={{ color: colour }} />
              <bdi>{name}</bdi>
            </li>
          ))}
        </ul>
        <p ref={line} />
      </div>
    </div>
  );
}

/** The lines of the chart, with the names and colours of the legend. */
function linesOf(series: SeriesResponse): { name: string; colour: string; dashed?: boolean }[] {
  return [
    { name: TITLES[series.metric], colour: "var(--accent-fill)" },
    ...(beforeOf(series) === null
      ? []
      : [{ name: "Previous period", colour: "var(--text-3)", dashed: true }]),
    ...series.parts.slice(0, PART_HUES.length).map(({ name }, index) => ({
      name,
      colour: partColour(index),
    })),
  ];
}

/** What is below the pointer, as one line. */
function bucketLine(series: SeriesResponse, clock: Clock, index: number): string {
  const bucket = series.buckets[index];
  if (bucket === undefined) return "";
  const { interval, timeZone, unit } = series;
  const when = new Intl.DateTimeFormat(clock.locale, {
    timeZone,
    ...(interval === "hour"
      ? { weekday: "short", hour: "numeric", minute: "2-digit" }
      : interval === "day"
      ? { weekday: "short", day: "numeric", month: "short" }
      : { day: "numeric", month: "short", year: "numeric" }),
  });
  const before = beforeOf(series)?.buckets[index];
  const values = [
    valueText(bucket.value, unit),
    ...(before === undefined ? [] : [`${valueText(before.value, unit)} in the previous period`]),
    ...series.parts.slice(0, PART_HUES.length).map(({ name, buckets }) =>
      `${isolate(name)} ${valueText(buckets[index]?.value ?? null, unit)}`
    ),
  ];
  return `${when.format(Date.parse(bucket.start))}: ${values.join(", ")}`;
}

/** With parts, the previous period is not shown. */
function beforeOf({ previous, parts }: SeriesResponse): SeriesResponse["previous"] {
  return parts.length > 0 ? null : previous;
}

function dataOf(series: SeriesResponse): uPlot.AlignedData {
  const { buckets, parts } = series;
  const previous = beforeOf(series);
  const values = (list: SeriesResponse["buckets"]) =>
    buckets.map((_, index) => list[index]?.value ?? null);
  return [
    buckets.map(({ start }) => Date.parse(start) / 1000),
    values(buckets),
    ...(previous === null ? [] : [values(previous.buckets)]),
    ...parts.slice(0, PART_HUES.length).map((part) => values(part.buckets)),
  ];
}

function optionsOf(
  series: SeriesResponse,
  clock: Clock,
  element: HTMLElement,
  readout: (index: number | null) => void,
): uPlot.Options {
  const { metric, unit, interval, parts } = series;
  const previous = beforeOf(series);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const colour = (name: string) => () => resolved(element, `var(${name})`);
  const points = { show: series.buckets.length < 40, size: 5 };
  const short = new Intl.DateTimeFormat(clock.locale, {
    timeZone: series.timeZone,
    ...(interval === "month"
      ? { month: "short", year: "numeric" }
      : { day: "numeric", month: "short" }),
  });
  const starts = series.buckets.map(({ start }) => Date.parse(start) / 1000);
  const label = (seconds: number) =>
    interval === "hour"
      ? hourLabel(new Date(seconds * 1000).toISOString(), series.timeZone, clock.locale)
      : short.format(seconds * 1000);
  return {
    legend: { show: false },
    hooks: {
      setCursor: [(plot) => readout(plot.cursor.idx ?? null)],
    },
    width: element.clientWidth,
    height: heightOf(element.clientWidth),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), series.timeZone),
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      {
        stroke: colour("--text-3"),
        font,
        grid: { show: false },
        ticks: { show: false },
        splits: (plot) => labelledBuckets(starts.length, plot.width).map((i) => starts[i]!),
        values: (_, splits) => splits.map((seconds) => label(seconds)),
      },
      {
        stroke: colour("--text-3"),
        font,
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { show: false },
        size: 72,
        values: (_, splits) => splits.map((value) => valueText(value, unit)),
      },
    ],
    series: [
      {},
      {
        label: TITLES[metric],
        stroke: colour("--accent-fill"),
        fill: parts.length > 0 ? undefined : colour("--accent-soft"),
        width: 2,
        points,
      },
      ...(previous === null ? [] : [{
        label: "Before",
        stroke: colour("--text-3"),
        dash: [4, 4],
        width: 1,
        points: { show: false },
      }]),
      ...parts.slice(0, PART_HUES.length).map(({ name }, index) => ({
        label: name,
        stroke: () => resolved(element, partColour(index)),
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

export function partColour(index: number): string {
  const hue = PART_HUES[index] ?? 0;
  return `light-dark(oklch(0.55 0.17 ${hue}), oklch(0.75 0.14 ${hue}))`;
}

/** A canvas supports neither variables nor light-dark(). */
function resolved(element: HTMLElement, colour: string): string {
  const probe = document.createElement("i");
  probe.style.color = colour;
  element.append(probe);
  const result = getComputedStyle(probe).color;
  probe.remove();
  return result;
}
