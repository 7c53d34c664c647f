import { handler, page } from "./$api-keys.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { SCOPES } from "../../protocol/programs.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import ApiKeysPage, { type ApiKeysStart } from "../../islands/ApiKeysPage.tsx";
import type { ScopeChoice } from "../../components/settings/AddApiKey.tsx";

/** Here and not in the browser, which would have to load the schemas. */
const CHOICES = Object.entries(SCOPES).map(([scope, words]) => ({ scope, words })) as ScopeChoice[];

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: ApiKeysStart }> => {
    const user = ctx.state.user!;
    const [start, keys] = await Promise.all([
      pageStart(ctx.req, user, "API keys"),
      dashboard().apiKeys(user),
    ]);
    return { data: { page: start, keys, scopes: CHOICES } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="API keys · Parley">
    <ApiKeysPage start={pack(data)} />
  </PageFrame>
));
