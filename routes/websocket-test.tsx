import { handler, page } from "./$websocket-test.ts";
import { dashboard } from "../domain/dashboard.ts";
import { PageFrame } from "../components/document/Page.tsx";
import { pageStart } from "../components/document/page_start.ts";
import { pack } from "../components/lib/packed.ts";
import { clockOf } from "../components/lib/preferences.ts";
import WebSocketTestPage, { type WebSocketTestStart } from "../islands/WebSocketTestPage.tsx";

export const handlers = handler({
  // The middleware lets nobody who is not signed in through to here, except in development.
  GET: async (ctx): Promise<{ data: WebSocketTestStart }> => {
    const { user } = ctx.state;
    const [start, widgetKey] = await Promise.all([
      user === null ? null : pageStart(ctx.req, user, "WebSocket test"),
      dashboard().demoWidgetKey(),
    ]);
    return { data: { page: start, clock: clockOf(ctx.req.headers), widgetKey } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="WebSocket test · Parley">
    <WebSocketTestPage start={pack(data)} />
  </PageFrame>
));
