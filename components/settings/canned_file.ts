/** Canned replies as a file: written as JSON, read as JSON or CSV. Labels, teams and people go by name. */
import type {
  CannedResponse,
  CreateCannedResponseBody,
  MacroActions,
} from "../../protocol/canned_responses.ts";
import type { Label, User } from "../../protocol/model.ts";
import type { Team } from "../../protocol/teams.ts";

export interface Workspace {
  labels: readonly Label[];
  users: readonly Pick<User, "id" | "email">[];
  teams: readonly Pick<Team, "id" | "name">[];
}

/** Replies in one file. */
export const MAX_IMPORT = 1000;

type Entry = Record<string, unknown>;

/** The text of a JSON file. */
export function writeCannedFile(
  items: readonly CannedResponse[],
  { labels, users, teams }: Workspace,
): string {
  const entries = items.map(({ shortCode, folder, content, shared, actions }) => {
    const entry: Entry = { shortCode, folder, content, shared };
    if (actions !== null) {
      const { addLabels = [], assignTo, teamId, status } = actions;
      const names = labels.filter(({ id }) => addLabels.includes(id)).map(({ name }) => name);
      const email = users.find(({ id }) => id === assignTo)?.email;
      const team = teams.find(({ id }) => id === teamId)?.name;
      entry["actions"] = {
        ...(names.length === 0 ? {} : { addLabels: names }),
        ...(assignTo === undefined ? {} : { assignTo: email ?? assignTo }),
        ...(team === undefined ? {} : { team }),
        ...(status === undefined ? {} : { status }),
      };
    }
    return entry;
  });
  return JSON.stringify(entries, null, 2) + "\n";
}

/**
 * The replies of a file. Names of labels, teams and people that are not here are left out.
 *
 * @throws {Error} a sentence, where it is no such file
 */
export function readCannedFile(text: string, workspace: Workspace): CreateCannedResponseBody[] {
  const entries = /^\s*[[{]/.test(text) ? fromJson(text) : fromCsv(text);
  if (entries.length === 0) throw new Error("There are no canned replies in this file.");
  if (entries.length > MAX_IMPORT) {
    throw new Error(
      `This file has ${entries.length} replies. Import at most ${MAX_IMPORT} at once.`,
    );
  }
  return entries.map((entry) => toBody(entry, workspace));
}

function fromJson(text: string): Entry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("This file is not valid JSON.");
  }
  if (Array.isArray(parsed) && parsed.every((one) => typeof one === "object" && one !== null)) {
    return parsed;
  }
  throw new Error("This file has no list of canned replies.");
}

/** What other programs call the columns. */
const COLUMNS: Record<string, string> = {
  shortcode: "shortCode",
  shortcut: "shortCode",
  name: "shortCode",
  title: "shortCode",
  content: "content",
  text: "content",
  message: "content",
  body: "content",
  folder: "folder",
  category: "folder",
};

function fromCsv(text: string): Entry[] {
  const [head = [], ...lines] = csvLines(text);
  const columns = head.map((name) => COLUMNS[name.toLowerCase().replace(/[\s_-]/g, "")]);
  if (!columns.includes("shortCode") || !columns.includes("content")) {
    throw new Error('The first line of a CSV file needs the columns "shortCode" and "content".');
  }
  return lines.map((line) =>
    Object.fromEntries(columns.flatMap((name, i) => name === undefined ? [] : [[name, line[i]]]))
  );
}

/** Fields in quotes may have commas, line breaks and doubled quotes. */
function csvLines(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const source = text.replace(/^\uFEFF/, "");
  while (field.lastIndex < source.length) {
    const match = field.exec(source);
    if (match === null) throw new Error("This file is not valid CSV: a quote is not closed.");
    line.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    if (line.some((value) => value !== "")) lines.push(line);
    line = [];
  }
  return lines;
}

const text = (value: unknown) => typeof value === "string" ? value : "";

function toBody(entry: Entry, workspace: Workspace): CreateCannedResponseBody {
  const code = text(entry["shortCode"]).trim().replace(/^\/+/, "").replace(/\s+/g, "-");
  const actions = toActions(entry["actions"], workspace);
  return {
    shortCode: code.toLowerCase(),
    content: text(entry["content"]),
    folder: text(entry["folder"]).trim() || null,
    ...(entry["shared"] === false ? { shared: false } : {}),
    ...(actions === null ? {} : { actions }),
  };
}

function toActions(value: unknown, { labels, users, teams }: Workspace): MacroActions | null {
  if (typeof value !== "object" || value === null) return null;
  const { addLabels, assignTo, team, status } = value as Entry;
  const names = Array.isArray(addLabels) ? addLabels.map((name) => text(name).toLowerCase()) : [];
  const ids = labels.filter(({ name }) => names.includes(name.toLowerCase())).map(({ id }) => id);
  const person = assignTo === "me" || assignTo === "nobody"
    ? assignTo
    : users.find(({ email }) => email === assignTo)?.id;
  const named = text(team).toLowerCase();
  const teamId = teams.find(({ name }) => name.toLowerCase() === named)?.id;
  const actions: MacroActions = {
    ...(ids.length === 0 ? {} : { addLabels: ids }),
    ...(person === undefined ? {} : { assignTo: person }),
    ...(teamId === undefined ? {} : { teamId }),
    ...(status === "open" || status === "pending" || status === "resolved" ? { status } : {}),
  };
  return Object.keys(actions).length === 0 ? null : actions;
}
