import type { InboxModel } from "../live/inbox_model.ts";
import { useLazy } from "../ui/use_lazy.ts";
import { useWorkspace } from "./context.ts";

/** The command palette and the list of keys; both are loaded when they are opened. */
export function Overlays({ inbox }: { inbox?: InboxModel }) {
  const { paletteOpen, helpOpen, fail } = useWorkspace();
  const isPalette = paletteOpen.value;
  const isHelp = helpOpen.value;
  const Palette = useLazy(() => import("../palette/Palette.tsx"), isPalette, (error) => {
    paletteOpen.value = false;
    fail(error);
  });
  const KeysDialog = useLazy(() => import("../palette/KeysDialog.tsx"), isHelp, (error) => {
    helpOpen.value = false;
    fail(error);
  });
  return (
    <>
      {isPalette && Palette && <Palette inbox={inbox ?? null} />}
      {isHelp && KeysDialog && <KeysDialog isInbox={inbox !== undefined} />}
    </>
  );
}
