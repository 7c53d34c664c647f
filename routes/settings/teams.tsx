import { handler, page } from "./$teams.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import TeamsPage, { type TeamsStart } from "../../islands/TeamsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: TeamsStart }> => {
    const [start, teams, people] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Teams"),
      dashboard().teams(),
      dashboard().allUsers(),
    ]);
    return { data: { page: start, teams, people } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Teams · Parley">
    <TeamsPage start={pack(data)} />
  </PageFrame>
));
