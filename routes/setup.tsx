import { handler, page } from "./$setup.ts";
import { Doorway } from "../components/auth/Doorway.tsx";
import { PageFrame } from "../components/document/Page.tsx";
import SetupForm from "../islands/SetupForm.tsx";

export const handlers = handler({ GET: () => ({ data: null }) });

export default page(({ req }) => (
  <PageFrame request={req} title="Set up Parley">
    <Doorway
      title="Welcome to Parley"
      lead="This is a new installation. Your account will be its administrator."
    >
      <SetupForm />
    </Doorway>
  </PageFrame>
));
