import { handler, page } from "./$delivery.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import AnalyticsPage, { type AnalyticsStart } from "../../islands/AnalyticsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: AnalyticsStart }> => ({
    data: { page: await pageStart(ctx.req, ctx.state.user!, "Delivery"), kind: "delivery" },
  }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Delivery · Parley">
    <AnalyticsPage start={pack(data)} />
  </PageFrame>
));
