# syntax=docker/dockerfile:1

# Builds the dashboard and the widget, and gathers what the server needs at run time.
FROM denoland/deno:2.9.6 AS build
WORKDIR /app
# Manifests first: this layer is rebuilt only when a dependency changes.
COPY deno.json deno.lock package.json ./
RUN deno ci
COPY . .
RUN deno task build
# What only the build and the tests use stays out of the image: package.json names the dashboard's
# packages, which are bundled by now. Versions stay those of deno.lock.
RUN rm -rf node_modules package.json \
  && deno install --entrypoint main.ts \
  && cd node_modules \
  && rm -rf axe-core fast-check playwright-core @types \
    .deno/axe-core@* .deno/fast-check@* .deno/pure-rand@* .deno/playwright-core@* \
    .deno/@types+* .deno/undici-types@*

FROM denoland/deno:2.9.6
WORKDIR /app
COPY --from=build /app/deno.json /app/deno.lock ./
COPY --from=build /app/node_modules node_modules/
COPY --from=build /app/.output .output/
COPY --from=build /app/.build .build/
COPY --from=build /app/*.ts ./
COPY --from=build /app/api api/
COPY --from=build /app/db db/
COPY --from=build /app/domain domain/
COPY --from=build /app/process process/
COPY --from=build /app/engineio engineio/
COPY --from=build /app/protocol protocol/
COPY --from=build /app/realtime realtime/
COPY --from=build /app/server server/
COPY --from=build /app/settings settings/
# `docker run … deno run -A tools/migrate.ts` prepares a release.
COPY --from=build /app/tools/migrate.ts tools/
RUN mkdir /data && chown deno:deno /data && chmod 700 /data
USER deno
# The runtime's own HTTP spans have the query of each address (docs/operations.md, Tracing).
ENV PORT=8000 DATA_DIR=/data OTEL_DENO_TRACING=false
VOLUME /data
EXPOSE 8000
# SIGTERM tells every client to reconnect and stores what was taken before the process ends.
STOPSIGNAL SIGTERM
# Whether the process turns: what restarts unhealthy containers must not do so because the database
# is away, which a restart does not bring back. /ready is for balancers.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["deno", "eval", "--no-config", "const r = await fetch(`http://127.0.0.1:${Deno.env.get('PORT')}/live`); Deno.exit(r.ok ? 0 : 1)"]
# Every variable is read, not a list of names, because a misspelt setting has to stop the start.
# The container's memory limit is handed on, because the runtime lets nobody read it without -A.
CMD ["sh", "-c", "exec env MEMORY_LIMIT_BYTES=\"${MEMORY_LIMIT_BYTES:-$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | grep -Ex '[0-9]{8,15}' | head -n 1)}\" \
  deno run --no-prompt --cached-only --node-modules-dir=manual \
  --allow-net --allow-env --allow-sys=statfs --allow-read=/app,/data --allow-write=/data main.ts"]
