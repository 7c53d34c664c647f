/** Bad requests made from an OpenAPI document: what each field, body and address could have wrong. */

export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
  maxLength?: number;
  maxItems?: number;
  format?: string;
  enum?: unknown[];
  const?: unknown;
}

export interface Operation {
  security?: unknown[];
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: { "application/json": { schema: Schema } } };
}

export interface Route {
  method: string;
  /** With its parameters in braces. */
  path: string;
  operation: Operation;
}

export interface BadBody {
  why: string;
  body: unknown;
}

/** Every route of the document whose body, if any, is JSON. tests/files_test.ts has the others. */
export function routesOf(document: { paths: Record<string, Record<string, Operation>> }): Route[] {
  return Object.entries(document.paths).filter(([path]) => !path.startsWith("/files/"))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      }))
    ).filter(({ operation: { requestBody } }) =>
      requestBody === undefined || "application/json" in requestBody.content
    );
}

/** The types that a schema takes; empty: any. */
function typesOf(schema: Schema): Set<string> {
  const types = new Set<string>([schema.type ?? []].flat());
  for (const part of [...schema.anyOf ?? [], ...schema.oneOf ?? [], ...schema.allOf ?? []]) {
    for (const type of typesOf(part)) types.add(type);
  }
  if (schema.const === null || schema.enum?.includes(null)) types.add("null");
  if (typeof schema.const === "string") types.add("string");
  if (typeof schema.const === "boolean") types.add("boolean");
  return types;
}

const OF_TYPE: Record<string, unknown[]> = {
  string: ["\ud800", "<script>", "' or 1=1 --"],
  number: [42, 1.5, 1e308],
  integer: [42, 1e308],
  boolean: [true],
  object: [{}, { nested: {} }],
  array: [[], [[]], [null]],
  null: [null],
};

/** Values of all types that the schema does not take. */
function wrongValues(schema: Schema): unknown[] {
  const taken = typesOf(schema);
  if (taken.size === 0) return [];
  if (taken.has("number")) taken.add("integer");
  return Object.entries(OF_TYPE).flatMap(([type, values]) =>
    taken.has(type) || (type === "number" && taken.has("integer")) ? [] : values
  );
}

/**
 * What a body could have wrong, from a good one and its schema: each field of a wrong type, missing
 * or null, one too many, too long.
 */
export function badBodies(schema: Schema, good: Record<string, unknown>): BadBody[] {
  const bad: BadBody[] = [];
  const strict = schema.additionalProperties === false || schema.anyOf !== undefined;
  const objects = [schema, ...schema.anyOf ?? [], ...schema.oneOf ?? [], ...schema.allOf ?? []];
  for (const { properties = {}, required = [] } of objects) {
    for (const [name, field] of Object.entries(properties)) {
      for (const value of wrongValues(field)) {
        bad.push({ why: `${name} is ${JSON.stringify(value)}`, body: { ...good, [name]: value } });
      }
      if (required.includes(name) && objects.length === 1) {
        const { [name]: _gone, ...rest } = good;
        bad.push({ why: `${name} is missing`, body: rest });
      }
      if (field.maxLength !== undefined) {
        const value = "x".repeat(field.maxLength + 1);
        bad.push({ why: `${name} is too long`, body: { ...good, [name]: value } });
      }
      if (field.maxItems !== undefined && Array.isArray(good[name])) {
        const value = Array.from(
          { length: field.maxItems + 1 },
          () => (good[name] as unknown[])[0],
        );
        bad.push({ why: `${name} has too many entries`, body: { ...good, [name]: value } });
      }
      const inner = good[name];
      if (field.properties !== undefined && typeof inner === "object" && inner !== null) {
        const nested = badBodies(field, inner as Record<string, unknown>)
          .filter(({ body }) => body !== null || !typesOf(field).has("null"));
        bad.push(...nested.map(({ why, body }) => ({
          why: `${name}: ${why}`,
          body: { ...good, [name]: body },
        })));
      }
      if (field.format === "date-time") {
        bad.push({ why: `${name} is no time`, body: { ...good, [name]: "yesterday" } });
      }
      if (field.format === "uuid") {
        bad.push({ why: `${name} is no UUID`, body: { ...good, [name]: "not-a-uuid" } });
      }
    }
  }
  if (strict) {
    bad.push({ why: "one field too many", body: { ...good, surprise: 1 } });
    bad.push({ why: "__proto__", body: JSON.parse(`{"__proto__":{"role":"admin"},"surprise":1}`) });
  }
  for (const body of [null, [], [good], "text", 42, true]) {
    bad.push({ why: `the body is ${JSON.stringify(body)?.slice(0, 40)}`, body });
  }
  return bad;
}

/** What a parameter of the address's query could have wrong. */
export function badQueries({ parameters = [] }: Operation): string[] {
  const query = parameters.filter((parameter) => parameter.in === "query");
  const bad: string[] = [];
  for (const { name, schema } of query) {
    const types = typesOf(schema);
    if (types.has("integer") || types.has("number")) {
      for (const value of ["abc", "-1", "1.5", "1e400", "99999999999999999999", "NaN", "%00"]) {
        bad.push(`${name}=${value}`);
      }
    } else if (schema.enum !== undefined || schema.format === "uuid") {
      bad.push(`${name}=nonsense`, `${name}=`, `${name}=%00`);
    }
    // Credentials in the address come after those of the header, and are not looked at.
    const looksAt = name !== "token" && name !== "sessionId";
    if (types.has("string") && looksAt) bad.push(`${name}=%00`, `${name}=a%00b`);
    if (schema.maxLength !== undefined) bad.push(`${name}=${"x".repeat(schema.maxLength + 1)}`);
    const good = types.has("integer") ? "1" : schema.enum?.[0] ?? "x";
    bad.push(`${name}=${good}&surprise=1`);
  }
  return bad;
}
