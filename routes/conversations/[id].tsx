import { handler, page } from "./$[id].ts";
import { inboxStart } from "../../components/page_data/inbox_start.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pack } from "../../components/document/packed.ts";
import InboxApp from "../../islands/InboxApp.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx) => {
    const start = await inboxStart(ctx.req, ctx.state.user!, ctx.params.id);
    return { data: start, status: start.selected?.seed ? 200 : 404 };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Inbox · Parley">
    <InboxApp start={pack(data)} />
  </PageFrame>
));
