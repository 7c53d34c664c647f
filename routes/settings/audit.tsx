import { handler, page } from "./$audit.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import AuditPage, { type AuditStart } from "../../islands/AuditPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: AuditStart }> => {
    const user = ctx.state.user!;
    const [start, first, people, keys] = await Promise.all([
      pageStart(ctx.req, user, "Audit log"),
      dashboard().audit(user),
      dashboard().allUsers(),
      dashboard().apiKeys(user),
    ]);
    const actors = [...people, ...keys].map(({ id, name }) => ({ id, name }));
    return { data: { page: start, first, actors } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Audit log · Parley">
    <AuditPage start={pack(data)} />
  </PageFrame>
));
