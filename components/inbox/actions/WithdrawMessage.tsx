import type { Message } from "../../../protocol/model.ts";
import { DangerForm } from "../../ui/DangerForm.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { useInbox } from "../context.ts";

/** Asks before a message is withdrawn, because its text cannot be restored. */
export function WithdrawMessage({ message }: { message: Message }) {
  const { messages, user } = useInbox();
  const close = () => messages.withdrawing.value = null;
  const isOwn = message.sender.userId === user.id;
  return (
    <Dialog open title={isOwn ? "Withdraw this message?" : "Delete this message?"} onClose={close}>
      <DangerForm
        action={isOwn ? "Withdraw" : "Delete"}
        onCancel={close}
        run={async () => {
          await messages.withdraw(message);
          close();
        }}
      >
        <p>
          {message.isPrivate
            ? "Its text and files are removed for the whole team."
            : "Its text and files are removed for everybody. They may have been read already."}{" "}
          The conversation shows that there was a message.
        </p>
      </DangerForm>
    </Dialog>
  );
}
