/** The value of a setting for users: "10 s", "64 KB", "1,000", "15 min". */
export function limitWords(name: string, value: number): string {
  if (name.endsWith("_MS")) return timeWords(value);
  if (name.endsWith("_BYTES")) return sizeWords(value);
  return value.toLocaleString("en");
}

const UNITS: [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

function timeWords(ms: number): string {
  // The largest unit in which it needs at most one decimal.
  const unit = UNITS.find(([size]) => ms >= size && Number.isInteger(ms / size * 10));
  return unit === undefined ? `${ms.toLocaleString("en")} ms` : `${ms / unit[0]} ${unit[1]}`;
}

function sizeWords(bytes: number): string {
  if (bytes >= 1_048_576 && Number.isInteger(bytes / 1_048_576)) return `${bytes / 1_048_576} MB`;
  if (bytes >= 1024 && Number.isInteger(bytes / 1024)) return `${bytes / 1024} KB`;
  return `${bytes.toLocaleString("en")} B`;
}
