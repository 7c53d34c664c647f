import { handler, page } from "./$websocket.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import WebSocketPage, { type WebSocketStart } from "../../islands/WebSocketPage.tsx";

/** Conversations to choose from. */
const LATEST = 20;

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: WebSocketStart }> => {
    const user = ctx.state.user!;
    const [start, { items }] = await Promise.all([
      pageStart(ctx.req, user, "WebSocket"),
      dashboard().conversations(user, { limit: LATEST }),
    ]);
    return { data: { page: start, latest: items, limits: dashboard().limits() } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="WebSocket · Parley">
    <WebSocketPage start={pack(data)} />
  </PageFrame>
));
