import type { ViewTask } from "../../live/views_model.ts";
import { ApiError } from "../../live/api.ts";
import { isolate } from "../../../protocol/visible_text.ts";
import { DangerForm } from "../../ui/DangerForm.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { useInbox } from "../context.ts";
import { FilterForm } from "./FilterForm.tsx";
import { SaveView } from "./SaveView.tsx";

/** The open dialog about filters and views. Loaded when one is opened. */
export default function ViewDialogs({ task }: { task: ViewTask }) {
  const { views, request, toasts } = useInbox();
  const close = () => views.task.value = null;
  if (task.kind === "filter") {
    return (
      <Dialog open title="Filter" focusInside onClose={close}>
        <FilterForm onClose={close} />
      </Dialog>
    );
  }
  if (task.kind === "save") {
    const title = task.view === null ? "Save as a view" : "Edit the view";
    return (
      <Dialog open title={title} focusInside onClose={close}>
        <SaveView view={task.view} onClose={close} />
      </Dialog>
    );
  }
  const { id, name, sharedWith } = task.view;
  const remove = async () => {
    try {
      await request(`/api/views/${id}`, { method: "DELETE" });
    } catch (cause) {
      // Somebody else may have deleted it already.
      if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
    }
    views.remove(id);
    close();
    toasts.show({ tone: "good", text: `“${isolate(name)}” is deleted.` });
  };
  return (
    <Dialog open title={`Delete “${isolate(name)}”?`} onClose={close}>
      <DangerForm action="Delete view" run={remove} onCancel={close}>
        <p>
          {sharedWith === "nobody"
            ? "Its conversations stay."
            : "Its conversations stay. Your colleagues do not see the view any more either."}
        </p>
      </DangerForm>
    </Dialog>
  );
}
