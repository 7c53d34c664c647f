import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { SeriesResponse } from "../../protocol/analytics.ts";
import { type Clock } from "../format/time.ts";
import { TITLES, valueText } from "./values.ts";

const HEIGHT = 260;
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
  const pick = useRef(onPick);
  pick.current = onPick;
  useEffect(() => {
    const element = holder.current!;
    const plot = new uPlot(optionsOf(series, clock, element), dataOf(series), element);
    const width = () => plot.setSize({ width: element.clientWidth, height: HEIGHT });
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
  return <div class="series-chart" ref={holder} aria-hidden="true" />;
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

function optionsOf(series: SeriesResponse, clock: Clock, element: HTMLElement): uPlot.Options {
  const { metric, unit, interval, parts } = series;
  const previous = beforeOf(series);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const colour = (name: string) => () => resolved(element, `var(${name})`);
  const text = (_: unknown, value: number | null) => valueText(value, unit);
  const points = { show: series.buckets.length < 40, size: 5 };
  const when = new Intl.DateTimeFormat(clock.locale, {
    timeZone: series.timeZone,
    ...(interval === "hour"
      ? { weekday: "short", hour: "numeric", minute: "2-digit" }
      : interval === "day"
      ? { weekday: "short", day: "numeric", month: "short" }
      : { day: "numeric", month: "short", year: "numeric" }),
  });
  const short = new Intl.DateTimeFormat(clock.locale, {
    timeZone: series.timeZone,
    ...(interval === "hour"
      ? { hour: "numeric", minute: "2-digit" }
      : interval === "month"
      ? { month: "short", year: "numeric" }
      : { day: "numeric", month: "short" }),
  });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), series.timeZone),
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      {
        stroke: colour("--text-3"),
        font,
        grid: { show: false },
        ticks: { show: false },
        values: (_, splits) => splits.map((seconds) => short.format(seconds * 1000)),
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
      {
        label: "Time",
        value: (_, seconds) => seconds === null ? "–" : when.format(seconds * 1000),
      },
      {
        label: TITLES[metric],
        stroke: colour("--accent-fill"),
        fill: parts.length > 0 ? undefined : colour("--accent-soft"),
        width: 2,
        points,
        value: text,
      },
      ...(previous === null ? [] : [{
        label: "Before",
        stroke: colour("--text-3"),
        dash: [4, 4],
        width: 1,
        points: { show: false },
        value: text,
      }]),
      ...parts.slice(0, PART_HUES.length).map(({ name }, index) => ({
        label: name,
        stroke: () => resolved(element, partColour(index)),
        width: 1.5,
        points: { show: false },
        value: text,
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
