import { handler, page } from "./$login.ts";
import { Doorway } from "../components/auth/Doorway.tsx";
import { PageFrame } from "../components/document/Page.tsx";
import { pack } from "../components/lib/packed.ts";
import { safeNext } from "../components/lib/safe_next.ts";
import LoginForm from "../islands/LoginForm.tsx";

export const handlers = handler({
  GET: (ctx) => ({ data: { next: safeNext(ctx.url.searchParams.get("next")) } }),
});

export default page(({ data, req }) => (
  <PageFrame request={req} title="Sign in · Parley">
    <Doorway title="Sign in to Parley">
      <LoginForm next={pack(data.next)} />
    </Doorway>
  </PageFrame>
));
