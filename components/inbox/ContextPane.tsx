import { ArrowLeft, X } from "lucide-preact";
import { lazily } from "../files/lazily.tsx";
import { IconButton } from "../ui/Button.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { useInbox } from "./context.ts";

const ContextBody = lazily(async () => (await import("./ContextBody.tsx")).ContextBody);

export function ContextPane() {
  const inbox = useInbox();
  const conversation = inbox.selected.value;
  if (conversation === null) return null;
  return (
    <aside
      class="context-pane"
      id="details"
      tabIndex={-1}
      aria-label="Details"
      data-shown={inbox.detailsShown.value}
    >
      <header class="context-head">
        <span class="only-phone">
          <IconButton label="Back to the conversation" tipAt="end" onClick={inbox.closeDetails}>
            <ArrowLeft size={18} />
          </IconButton>
        </span>
        <h2>Details</h2>
        <span class="not-phone">
          <IconButton label="Hide details" shortcut="I" tipAt="start" onClick={inbox.toggleDetails}>
            <X size={16} />
          </IconButton>
        </span>
      </header>
      <div class="context-scroll" tabIndex={0} role="region" aria-label="About this conversation">
        <ContextBody conversation={conversation}>
          <ListSkeleton rows={5} label="Loading the details" />
        </ContextBody>
      </div>
    </aside>
  );
}
