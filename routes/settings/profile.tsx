import { handler, page } from "./$profile.ts";
import { PageFrame } from "../../components/document/Page.tsx";
import { pageStart } from "../../components/document/page_start.ts";
import { pack } from "../../components/lib/packed.ts";
import ProfilePage from "../../islands/ProfilePage.tsx";

export const handlers = handler({
  // The middleware lets nobody through to here who is not signed in.
  GET: async (ctx) => ({ data: await pageStart(ctx.req, ctx.state.user!, "Profile") }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Profile · Parley">
    <ProfilePage start={pack(data)} />
  </PageFrame>
));
