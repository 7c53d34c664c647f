import { handler, page } from "./$websocket-test.ts";
import { dashboard } from "../domain/dashboard.ts";
import { PageFrame } from "../components/document/PageFrame.tsx";
import { pageStart } from "../components/page_data/page_start.ts";
import { pack } from "../components/document/packed.ts";
import { clockOf } from "../components/storage/preferences.ts";
import WebSocketTestPage, { type WebSocketTestStart } from "../islands/WebSocketTestPage.tsx";

export const handlers = handler({
  // Except in development, the middleware redirects everybody who is not signed in.
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
