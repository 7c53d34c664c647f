import { handler, page } from "./$_error.ts";
import { CenteredPage } from "../components/auth/CenteredPage.tsx";
import { PageFrame } from "../components/document/PageFrame.tsx";

export const handlers = handler({
  GET: (ctx) => {
    const { status, retryAfter = 1000 } = (ctx.error ?? {}) as {
      status?: unknown;
      retryAfter?: number;
    };
    if (status === 503) {
      const headers = { "retry-after": String(Math.ceil(retryAfter / 1000)) };
      return { data: { missing: false, away: true }, status, headers };
    }
    if (typeof status === "number" && status >= 400 && status < 500) {
      return { data: { missing: status === 404, away: false }, status };
    }
    // The page shows no details, so the log has to.
    console.error("Cannot render %s:", ctx.url.pathname, ctx.error);
    return { data: { missing: false, away: false }, status: 500 };
  },
});

export default page(({ data, req, url }) => (
  <PageFrame
    request={req}
    title={data.missing ? "Page not found · Parley" : "Something went wrong · Parley"}
  >
    {data.missing
      ? (
        <CenteredPage
          title="This page does not exist"
          lead="The address may be mistyped, or the page was removed."
        >
          <a class="button" data-kind="primary" data-size="l" href="/">Go to the inbox</a>
        </CenteredPage>
      )
      : (
        <CenteredPage
          title={data.away ? "Not available right now" : "Something went wrong"}
          lead={data.away
            ? "The server cannot reach its database, and continues as soon as it can. Your conversations are safe; try again in a moment."
            : "The page could not be shown. Your conversations are safe; try again in a moment."}
        >
          <div class="centered-page-actions">
            <a class="button" data-kind="primary" data-size="l" href={url.pathname + url.search}>
              Try again
            </a>
            <a class="button" data-kind="plain" data-size="l" href="/">Go to the inbox</a>
          </div>
        </CenteredPage>
      )}
  </PageFrame>
));
