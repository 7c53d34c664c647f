import { handler, page } from "./$notifications.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import NotificationsPage from "../../islands/NotificationsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx) => ({ data: await pageStart(ctx.req, ctx.state.user!, "Notifications") }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Notifications · Parley">
    <NotificationsPage start={pack(data)} />
  </PageFrame>
));
