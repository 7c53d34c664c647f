import { handler, page } from "./$index.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { choiceOf, queryOf } from "../../components/contacts/choice.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import ContactsPage, { type ContactsStart } from "../../islands/ContactsPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: ContactsStart }> => {
    const choice = choiceOf(ctx.url.searchParams);
    const [start, first] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Contacts"),
      dashboard().contacts(Object.fromEntries(queryOf(choice))),
    ]);
    return { data: { page: start, first, choice } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Contacts · Parley">
    <ContactsPage start={pack(data)} />
  </PageFrame>
));
