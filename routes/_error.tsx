import { handler, page } from "./$_error.ts";
import { Doorway } from "../components/auth/Doorway.tsx";
import { PageFrame } from "../components/document/Page.tsx";

export const handlers = handler({
  GET: (ctx) => {
    const status = (ctx.error as { status?: unknown } | null)?.status;
    if (typeof status === "number" && status >= 400 && status < 500) {
      return { data: { missing: status === 404 }, status };
    }
    // The page tells nothing of it, so the log has to.
    console.error("Cannot render %s:", ctx.url.pathname, ctx.error);
    return { data: { missing: false }, status: 500 };
  },
});

export default page(({ data, req, url }) => (
  <PageFrame
    request={req}
    title={data.missing ? "Page not found · Parley" : "Something went wrong · Parley"}
  >
    {data.missing
      ? (
        <Doorway
          title="This page does not exist"
          lead="The address may be mistyped, or what was here is gone."
        >
          <a class="button" data-kind="primary" data-size="l" href="/">Go to the inbox</a>
        </Doorway>
      )
      : (
        <Doorway
          title="Something went wrong"
          lead="The page could not be shown. Your conversations are safe; try again in a moment."
        >
          <div class="doorway-actions">
            <a class="button" data-kind="primary" data-size="l" href={url.pathname + url.search}>
              Try again
            </a>
            <a class="button" data-kind="plain" data-size="l" href="/">Go to the inbox</a>
          </div>
        </Doorway>
      )}
  </PageFrame>
));
