/** What the scenarios showed, as a table for bench/README.md. */
import type { Row } from "./stage.ts";

const HEADS = [
  "cause",
  "database, nodes",
  "refused",
  "healed after ms",
  "longest /live ms",
  "acknowledged",
  "lost",
  "doubled",
];

function cells(row: Row): string[] {
  const refused = Object.entries(row.refused).map(([code, count]) => `${count} ${code}`);
  return [
    row.scenario,
    row.group,
    refused.join(", ") || "0",
    `${row.healedMs}`,
    `${row.longestLiveMs}`,
    `${row.acknowledged}`,
    `${row.lost}`,
    `${row.doubled}`,
  ];
}

/** A Markdown table. */
export function tableOf(rows: Row[]): string {
  const lines = [HEADS, ...rows.map(cells)];
  const widths = HEADS.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const isNumber = (i: number) => i >= 3;
  const format = (line: string[]) =>
    `| ${
      line.map((cell, i) => isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
        .join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    "-".repeat(isNumber(i) ? width - 1 : width) +
    (isNumber(i) ? ":" : "")
  );
  return [format(lines[0]!), `| ${rule.join(" | ")} |`, ...lines.slice(1).map(format)].join("\n");
}
