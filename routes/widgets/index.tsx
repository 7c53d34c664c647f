import { handler, page } from "./$index.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import WidgetsPage, { type WidgetsStart } from "../../islands/WidgetsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: WidgetsStart }> => {
    const [start, widgets] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Widgets"),
      dashboard().widgets(),
    ]);
    return { data: { page: start, widgets } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Widgets · Parley">
    <WidgetsPage start={pack(data)} />
  </PageFrame>
));
