import { handler, page } from "./$people.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/Page.tsx";
import { pageStart } from "../../components/document/page_start.ts";
import { pack } from "../../components/lib/packed.ts";
import PeoplePage, { type PeopleStart } from "../../islands/PeoplePage.tsx";

export const handlers = handler({
  // The middleware lets nobody through to here who is not signed in.
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
