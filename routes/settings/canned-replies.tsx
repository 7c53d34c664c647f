import { handler, page } from "./$canned-replies.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import CannedRepliesPage, { type CannedRepliesStart } from "../../islands/CannedRepliesPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: CannedRepliesStart }> => {
    const user = ctx.state.user!;
    const services = dashboard();
    const [start, { replies, settings }, labels, users, teams] = await Promise.all([
      pageStart(ctx.req, user, "Canned replies"),
      services.cannedReplies(user),
      services.labels(),
      services.users(),
      services.teams(),
    ]);
    return { data: { page: start, replies, settings, labels, users, teams } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Canned replies · Parley">
    <CannedRepliesPage start={pack(data)} />
  </PageFrame>
));
