import { handler, page } from "./$people.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import PeoplePage, { type PeopleStart } from "../../islands/PeoplePage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: PeopleStart }> => {
    const [start, people] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "People"),
      dashboard().allUsers(),
    ]);
    return { data: { page: start, people } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="People · Parley">
    <PeoplePage start={pack(data)} />
  </PageFrame>
));
