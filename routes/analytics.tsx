import { handler, page } from "./$analytics.ts";
import { PageFrame } from "../components/document/PageFrame.tsx";
import { pageStart } from "../components/page_data/page_start.ts";
import { pack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import AnalyticsPage from "../islands/AnalyticsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: PageStart }> => ({
    data: await pageStart(ctx.req, ctx.state.user!, "Analytics"),
  }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Analytics · Parley">
    <AnalyticsPage start={pack(data)} />
  </PageFrame>
));
