import { handler, page } from "./$queue.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import QueuePage, { type QueueStart } from "../../islands/QueuePage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: QueueStart }> => {
    const [start, settings, teams] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Assignment"),
      dashboard().queueSettings(),
      dashboard().teams(),
    ]);
    return { data: { page: start, settings, teams } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Assignment · Parley">
    <QueuePage start={pack(data)} />
  </PageFrame>
));
