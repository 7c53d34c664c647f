import { useEffect, useMemo } from "preact/hooks";
import type { Limit } from "../../domain/dashboard.ts";
import { Badge } from "../ui/Badge.tsx";
import { Notice } from "../ui/Notice.tsx";
import { createHealth } from "./health_model.ts";
import { limitWords } from "./limit_words.ts";

/** The current connections. */
export function ServerFacts() {
  const model = useMemo(createHealth, []);
  useEffect(() => model.begin(), []);
  const health = model.health.value;
  const { websocket, database } = health?.services ?? {};
  const count = (value: number | undefined) =>
    value === undefined ? "–" : value.toLocaleString("en");
  return (
    <>
      <div aria-live="polite">
        {model.failed.value && (
          <Notice tone="warn">
            The server does not answer. Trying again every 5 seconds.
          </Notice>
        )}
      </div>
      <dl class="facts server-facts" data-stale={model.failed.value ? "" : undefined}>
        <div>
          <dt>Connections</dt>
          <dd class="tabular">{count(websocket?.connections)}</dd>
        </div>
        <div>
          <dt>People signed in</dt>
          <dd class="tabular">{count(websocket?.authenticatedUsers)}</dd>
        </div>
        <div>
          <dt>Slow connections closed</dt>
          <dd class="tabular">{count(websocket?.slowClosed)}</dd>
        </div>
        <div>
          <dt>Database</dt>
          <dd>{database === undefined ? "–" : database === "connected" ? "Connected" : "Away"}</dd>
        </div>
      </dl>
    </>
  );
}

/** The limits of this server. */
export function Limits({ limits }: { limits: readonly Limit[] }) {
  return (
    <table class="limits">
      <caption class="sr-only">Limits and timeouts</caption>
      <thead class="sr-only">
        <tr>
          <th scope="col">Setting</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        {limits.map(({ name, about, value, isDefault }) => (
          <tr key={name}>
            <th scope="row">
              <span class="mono">{name}</span>
              <span class="limit-about">{about}</span>
            </th>
            <td class="tabular">
              {limitWords(name, value)}
              {!isDefault && <Badge tone="accent">set</Badge>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
