import { handler, page } from "./$[id].ts";
import { dashboard } from "../../domain/dashboard.ts";
import { PageFrame } from "../../components/document/PageFrame.tsx";
import { pageStart } from "../../components/page_data/page_start.ts";
import { pack } from "../../components/document/packed.ts";
import WidgetPage, { type WidgetStart } from "../../islands/WidgetPage.tsx";

export const handlers = handler({
  // The middleware redirects everybody who is not signed in.
  GET: async (ctx): Promise<{ data: WidgetStart; status: number }> => {
    const [widgets, demoKey] = await Promise.all([
      dashboard().widgets(),
      dashboard().demoWidgetKey(),
    ]);
    const widget = widgets.find((one) => one.id === ctx.params.id) ?? null;
    const start = await pageStart(ctx.req, ctx.state.user!, widget?.name ?? "Widget not found");
    return {
      data: {
        page: start,
        widget,
        origin: ctx.url.origin,
        onDemo: widget !== null && widget.widgetKey === demoKey,
      },
      status: widget === null ? 404 : 200,
    };
  },
});

export default page(({ data, req }) => (
  <PageFrame request={req} title={`${data.page.title} · Parley`}>
    <WidgetPage start={pack(data)} />
  </PageFrame>
));
