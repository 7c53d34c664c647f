import { handler, page } from "./$index.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import RulesPage, { type RulesStart } from "../../islands/RulesPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: RulesStart }> => {
    const [start, rules] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Rules"),
      dashboard().rules(),
    ]);
    return { data: { page: start, rules } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Rules · Parley">
    <RulesPage start={pack(data)} />
  </PageFrame>
));
