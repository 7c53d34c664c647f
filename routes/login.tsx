import { handler, page } from "./$login.ts";
import { CenteredPage } from "../components/auth/CenteredPage.tsx";
import { PageFrame } from "../components/document/PageFrame.tsx";
import { pack } from "../components/document/packed.ts";
import { safeNext } from "../components/auth/safe_next.ts";
import LoginForm from "../islands/LoginForm.tsx";

export const handlers = handler({
  GET: (ctx) => ({ data: { next: safeNext(ctx.url.searchParams.get("next")) } }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Sign in · Parley">
    <CenteredPage title="Sign in to Parley">
      <LoginForm next={pack(data.next)} />
    </CenteredPage>
  </PageFrame>
));
