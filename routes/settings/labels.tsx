import { handler, page } from "./$labels.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import LabelsPage, { type LabelsStart } from "../../islands/LabelsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: LabelsStart }> => {
    const [start, labels] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Labels"),
      dashboard().labels(),
    ]);
    return { data: { page: start, labels } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Labels · Parley">
    <LabelsPage start={pack(data)} />
  </PageFrame>
));
