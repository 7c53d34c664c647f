/**
 * The table of docs/settings.md, made from the definitions in settings/. `deno run --allow-read
 * tools/settings_table.ts` prints it; with `--write` (and --allow-write) it replaces the one there.
 */
import { SETTINGS } from "../settings.ts";

const PAGE = new URL("../docs/settings.md", import.meta.url);
const BEGIN = "<!-- settings: begin -->";
const END = "<!-- settings: end -->";

/** All settings in the order of their groups, as a Markdown table the way `deno fmt` writes one. */
export function settingsTable(): string {
  const rows = SETTINGS.map((setting) => [
    `\`${setting.name}\``,
    setting.default === undefined || setting.default === "" ? "" : `\`${setting.default}\``,
    setting.about.replaceAll("|", "\\|"),
  ]);
  return alignedTable([["Setting", "Default", "Meaning"], ...rows]);
}

function alignedTable(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, i) => cell.padEnd(widths[i]!))));
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

/**
 * The text between the two markers, without the blank lines around it.
 *
 * @throws when a marker is missing
 */
export function tableIn(markdown: string): string {
  const begin = markdown.indexOf(BEGIN);
  const end = markdown.indexOf(END, begin);
  if (begin < 0 || end < 0) {
    throw new Error(`Cannot find the settings table: "${BEGIN}" or "${END}" is missing`);
  }
  return markdown.slice(begin + BEGIN.length, end).trim();
}

/** The text with another table between the markers. @throws when a marker is missing */
export function withTable(markdown: string, table: string): string {
  const old = tableIn(markdown);
  // A function, because "$" has a meaning in a replacement string.
  return old === ""
    ? markdown.replace(BEGIN, () => `${BEGIN}\n\n${table}\n`)
    : markdown.replace(old, () => table);
}

if (import.meta.main) {
  if (Deno.args.includes("--write")) {
    const page = await Deno.readTextFile(PAGE);
    await Deno.writeTextFile(PAGE, withTable(page, settingsTable()));
  } else {
    console.log(settingsTable());
  }
}
