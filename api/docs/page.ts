/** The OpenAPI document as a page for people: one text, made once, without any script. */
import { ERRORS } from "../../protocol/errors.ts";
import { SCOPES } from "../../protocol/programs.ts";
import { Html, html } from "./html.ts";
import { exampleOf, fieldTable, type Schema } from "./schema_view.ts";

interface Content {
  content?: Record<string, { schema: Schema }>;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
}

export interface Document {
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
}

interface Route {
  id: string;
  method: string;
  path: string;
  operation: Operation;
}

const jsonOf = (content: Content | undefined) => content?.content?.["application/json"]?.schema;
const slug = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const titleOf = (tag: string) => tag.charAt(0).toUpperCase() + tag.slice(1);

/** By tag, in the order of the alphabet; within one in the order of the document. */
function groupsOf({ paths }: Document): [string, Route[]][] {
  const groups = new Map<string, Route[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "other";
      const route = {
        id: slug(`${method} ${path}`),
        method: method.toUpperCase(),
        path,
        operation,
      };
      groups.set(tag, [...groups.get(tag) ?? [], route]);
    }
  }
  return [...groups].toSorted(([a], [b]) => a.localeCompare(b, "en"));
}

/** The path with its parameters set apart, and places where a long one may break. */
function pathView(path: string): Html[] {
  return path.split(/(\{\w+\})/).map((part) =>
    part.startsWith("{") ? html`<i>${part}</i>` : html`${
      part.split("/").flatMap((word, index) => {
        return index === 0 ? [word] : [html`/<wbr>`, word];
      })
    }`
  );
}

function curl({ method, path, operation }: Route): string {
  const body = jsonOf(operation.requestBody);
  return [
    `curl ${method === "GET" ? "" : `-X ${method} `}"$PARLEY${path}"`,
    ...(operation.security?.length === 0 ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(exampleOf(body))}'`]),
  ].join(" \\\n  ");
}

function routeView(route: Route): Html {
  const { id, method, path, operation } = route;
  const parameters = operation.parameters ?? [];
  const body = jsonOf(operation.requestBody);
  const asSchema: Schema = {
    type: "object",
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  };
  const answers = Object.entries(operation.responses).filter(([status]) => status !== "default");
  return html`
    <details class="route" id="${id}">
      <summary>
        <span class="method" data-method="${method}">${method}</span>
        <code class="path">${pathView(path)}</code>
        <span class="about">${operation.summary ?? ""}</span>
      </summary>
      <div class="inside">
        ${operation.description ? html`<p>${operation.description}</p>` : null}
        ${operation.security?.length === 0
          ? html`<p class="quiet">Needs no credentials.</p>`
          : null}
        ${parameters.length > 0 ? html`<h3>Parameters</h3>${fieldTable(asSchema, true)}` : null}
        ${body === undefined ? null : html`<h3>Body</h3>${fieldTable(body, true)}`}
        ${answers.map(([status, answer]) => {
          const schema = jsonOf(answer);
          return html`<h3><span class="status">${status}</span> ${answer.description}</h3>${
            schema === undefined ? null : fieldTable(schema, false)
          }`;
        })}
        <h3>Example</h3>
        <pre tabindex="0" aria-label="Example"><code>${curl(route)}</code></pre>
      </div>
    </details>
  `;
}

function pairs(
  label: string,
  head: [string, string],
  rows: [Html | string, Html | string][],
): Html {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${label}">
      <table>
        <thead>
          <tr>
            <th scope="col">${head[0]}</th>
            <th scope="col">${head[1]}</th>
          </tr>
        </thead>
        <tbody>${rows.map(([name, value]) =>
          html`
            <tr>
              <th scope="row">${name}</th>
              <td>${value}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

function introduction(): Html {
  const code = (text: string) => html`<code>${text}</code>`;
  return html`
    <section id="credentials">
      <h2>Credentials</h2>
      <p>Send <code>Authorization: Bearer …</code> with one of three:</p>
      ${pairs("Credentials", ["Who", "What"], [
        ["Agents", html`the <code>token</code> of <a href="#post-api-auth-login">signing in</a>`],
        [
          "Visitors",
          html`the <code>sessionId</code> of <a href="#post-api-sessions">a session</a>`,
        ],
        ["Programs", html`an API key, <code>pk_…</code>, made in Settings, with the scopes below`],
      ])}
      <h3>Scopes of API keys</h3>
      ${pairs("Scopes", ["Scope", "Gives the right to"], [
        ...Object.entries(SCOPES).map(([scope, words]): [Html, string] => [code(scope), words]),
      ])}
    </section>
    <section id="conventions">
      <h2>Conventions</h2>
      <ul>
        <li>Bodies are JSON. Fields that are not known are refused.</li>
        <li>Lists answer <code>{items, nextCursor}</code>; ask on with <code>?cursor=</code> until
          <code>nextCursor</code> is null. Messages are asked for by <code>before</code> and
          <code>after</code> instead.</li>
        <li>A message sent again with the same <code>clientMessageId</code> is the same message: 200
          instead of 201, and nothing is written.</li>
        <li>What has an <code>ETag</code> is read again with <code>If-None-Match</code> (304), and
          changed with <code>If-Match</code>: 412 when somebody else was faster.</li>
        <li>What is done here has the same events on sockets as if it was done there.</li>
      </ul>
    </section>
    <section id="errors">
      <h2>Errors</h2>
      <p>Every error is a problem (RFC 9457, <code>application/problem+json</code>) with a stable
        <code>code</code>, a sentence in <code>detail</code> and, for a bad body, every bad field in
        <code>fields</code>. With <code>retryAfter</code>, in milliseconds, the same may succeed later.</p>
      ${pairs("Errors", ["Code", "Status"], [
        ...Object.entries(ERRORS).map(([name, { status }]): [Html, string] => [
          code(name),
          String(status),
        ]),
      ])}
    </section>
  `;
}

/** The whole page. */
export function docsPage(document: Document): string {
  const groups = groupsOf(document);
  const link = (id: string, words: string) => html`<li><a href="#${id}">${words}</a></li>`;
  const contents = html`<ul>
      ${link("credentials", "Credentials")}${link("conventions", "Conventions")}
      ${link("errors", "Errors")}
      ${groups.map(([tag]) => link(slug(`tag ${tag}`), titleOf(tag)))}
    </ul>`;
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>API · Parley</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/api/docs/style.css">
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <nav aria-label="Contents"><p class="brand">Parley API</p>${contents}</nav>
        <main id="main">
        <header>
          <h1>Parley API</h1>
          <p class="lead">Conversations over HTTP, version ${document.info.version}. Programs read
            <a href="/api/openapi.json">openapi.json</a>; live events come over sockets.</p>
          <details class="contents"><summary>Contents</summary>${contents}</details>
        </header>
        ${introduction()}
        ${groups.map(([tag, routes]) =>
          html`<section id="${slug(`tag ${tag}`)}"><h2>${titleOf(tag)}</h2>${
            routes.map(routeView)
          }</section>`
        )}
      </main>
      </body>
    </html>
  `.text;
}
