import { handler, page } from "./$business-hours.ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import BusinessHoursPage, { type BusinessHoursStart } from "../../islands/BusinessHoursPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: BusinessHoursStart }> => {
    const [start, hours] = await Promise.all([
      pageStart(ctx.req, ctx.state.user!, "Business hours"),
      dashboard().businessHours(),
    ]);
    return { data: { page: start, hours, zones: ["UTC", ...Intl.supportedValuesOf("timeZone")] } };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Business hours · Parley">
    <BusinessHoursPage start={pack(data)} />
  </PageFrame>
));
