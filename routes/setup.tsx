import { handler, page } from "./$setup.ts";
import { CenteredPage } from "../components/auth/CenteredPage.tsx";
import { PageFrame } from "../components/document/PageFrame.tsx";
import SetupForm from "../islands/SetupForm.tsx";

export const handlers = handler({ GET: () => ({ data: null }) });

export default page(({ req }) => (
  <PageFrame request={req} title="Set up Parley">
    <CenteredPage
      title="Welcome to Parley"
      lead="This is a new installation. Your account will be its administrator."
    >
      <SetupForm />
    </CenteredPage>
  </PageFrame>
));
