import { handler, page } from "./$profile.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import ProfilePage from "../../islands/ProfilePage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx) => ({ data: await pageStart(ctx.req, ctx.state.user!, "Profile") }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Profile · Parley">
    <ProfilePage start={pack(data)} />
  </PageFrame>
));
