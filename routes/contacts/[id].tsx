import { handler, page } from "./$[id].ts";
import { dashboard } from "../../domain/dashboard.ts";
import { contactName } from "../../components/format/names.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import ContactPage, { type ContactStart } from "../../islands/ContactPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: ContactStart; status: number }> => {
    const profile = await dashboard().contactProfile(ctx.params.id!);
    const title = profile === null ? "Contact not found" : contactName(profile.contact);
    const start = await pageStart(ctx.req, ctx.state.user!, title);
    return { data: { page: start, profile }, status: profile === null ? 404 : 200 };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title={`${data.page.title} · Parley`}>
    <ContactPage start={pack(data)} />
  </PageFrame>
));
