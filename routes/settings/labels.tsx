import { handler, page } from "./$labels.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/Page.tsx";
import { pageStart } from "../../components/document/page_start.ts";
import { pack } from "../../components/lib/packed.ts";
import LabelsPage, { type LabelsStart } from "../../islands/LabelsPage.tsx";

export const handlers = handler({
  // The middleware lets nobody through to here who is not signed in.
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
