/** JSON schemas of the OpenAPI document as tables, and as examples. */
import { type Html, html } from "./html.ts";

export interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: boolean | Schema;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

const variants = (schema: Schema) => schema.anyOf ?? schema.oneOf;

/** "string, UUID", "list of …", "text or null". */
function typeWords(schema: Schema): string {
  const several = variants(schema);
  if (several !== undefined) return [...new Set(several.map(typeWords))].join(" or ");
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  }
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return "anything";
  return types.map((type) => {
    if (type === "array") return `list of ${typeWords(schema.items ?? {})}`;
    if (type === "object" && schema.properties === undefined) return "object with any fields";
    if (type === "string" && schema.format === "uuid") return "UUID";
    if (type === "string" && schema.format === "date-time") return "time (ISO 8601)";
    return type;
  }).join(" or ");
}

function span(low: number | undefined, high: number | undefined, unit: string): string | null {
  if (low === undefined && high === undefined) return null;
  const words = (count: number) => count.toLocaleString("en");
  if (high === undefined || high === Number.MAX_SAFE_INTEGER) {
    return low ? `${words(low)}${unit} or more` : null;
  }
  return low === undefined
    ? `up to ${words(high)}${unit}`
    : `${words(low)} to ${words(high)}${unit}`;
}

function limitWords(schema: Schema): string {
  return [
    span(schema.minLength, schema.maxLength, " characters"),
    span(schema.minItems, schema.maxItems, " entries"),
    span(schema.minimum, schema.maximum, ""),
  ].filter((words) => words !== null).join(", ");
}

interface Row {
  path: string;
  schema: Schema;
  required: boolean;
}

/** Nested deeper than that, a table says less than an example. */
const MAX_DEPTH = 3;

function rowsOf(schema: Schema, path = "", depth = 0): Row[] {
  const inner = schema.type === "array" && schema.items !== undefined ? schema.items : schema;
  const start = inner === schema || path === "" ? path : `${path}[]`;
  if (depth > MAX_DEPTH) return [];
  const several = variants(inner);
  // What several forms share is shown once.
  const properties = several === undefined
    ? Object.entries(inner.properties ?? {})
    : several.flatMap(({ properties = {} }) => Object.entries(properties));
  const required = new Set(several === undefined ? inner.required ?? [] : []);
  const seen = new Set<string>();
  return properties.flatMap(([name, field]) => {
    if (seen.has(name)) return [];
    seen.add(name);
    const own = start === "" ? name : `${start}.${name}`;
    const row = { path: own, schema: field, required: required.has(name) };
    return [row, ...rowsOf(field, own, depth + 1)];
  });
}

/** Every field of an object; `showRequired` for what a caller has to send. */
export function fieldTable(schema: Schema, showRequired: boolean): Html {
  const several = variants(schema);
  const rows = rowsOf(schema);
  if (rows.length === 0) return html`<p class="quiet">${typeWords(schema)}</p>`;
  return html`
    ${several === undefined ? null : html`<p class="quiet">One of ${several.length} forms.</p>`}
    <div class="scroll" tabindex="0" role="region" aria-label="Fields">
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Type</th>
          </tr>
        </thead>
        <tbody>${rows.map(({ path, schema, required }) =>
          html`
            <tr>
              <th scope="row"><code>${path}</code>${showRequired && required
                ? html`
                  <span class="needed">required</span>
                `
                : null}</th>
              <td>${[typeWords(schema), limitWords(schema)].filter(Boolean).join(", ")}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

const EXAMPLES: Record<string, unknown> = {
  uuid: "01a1f905-b485-7004-91ff-9a78c06738dd",
  "date-time": "2026-11-20T12:54:22.727Z",
  clientMessageId: "order-17",
  content: "Hello!",
  email: "ada@example.com",
  event: "order_paid",
  name: "Ada",
  password: "correct horse battery",
  platform: "telegram",
  shortCode: "thanks",
  url: "https://example.com/shop",
  accent: "#4f46e5",
  widgetKey: "wk_GviyfocCzm7lmZKOwzX6",
};

/** A value as it could be sent: what is required, and of the rest what is short. */
export function exampleOf(schema: Schema, name = ""): unknown {
  const first = variants(schema)?.[0];
  if (first !== undefined) return exampleOf(first, name);
  if (schema.enum !== undefined) return schema.enum[0];
  const type = [schema.type ?? []].flat().find((one) => one !== "null");
  switch (type) {
    case "object": {
      const required = schema.required ?? [];
      const all = Object.entries(schema.properties ?? {});
      const needed = all.filter(([key]) => required.includes(key));
      const shown = needed.length > 0 ? needed : all.slice(0, 1);
      return Object.fromEntries(shown.map(([key, field]) => [key, exampleOf(field, key)]));
    }
    case "array":
      return [exampleOf(schema.items ?? {}, name)];
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return true;
    case "string":
      return EXAMPLES[schema.format ?? ""] ?? EXAMPLES[name] ?? "text";
    default:
      return {};
  }
}
