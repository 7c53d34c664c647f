import { useState } from "preact/hooks";
import { Dialog } from "../ui/Dialog.tsx";
import { useWorkspace } from "./context.ts";
import { SHORTCUTS, shortcutsOn, switchShortcuts } from "./shortcuts.ts";

/** `elsewhere`: on pages where only the help's own key works. */
export function ShortcutsDialog({ elsewhere }: { elsewhere?: boolean }) {
  const { helpOpen } = useWorkspace();
  return (
    <Dialog
      open={helpOpen.value}
      title="Keyboard shortcuts"
      onClose={() => helpOpen.value = false}
    >
      {elsewhere && <p class="keys-lead">These work in the inbox.</p>}
      <dl class="keys">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <dt>{does}</dt>
            <dd>{keys.map((key) => <kbd class="kbd" key={key}>{key}</kbd>)}</dd>
          </div>
        ))}
      </dl>
      <Toggle />
    </Dialog>
  );
}

function Toggle() {
  const [on, setOn] = useState(shortcutsOn());
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={on}
        onChange={(event) => {
          switchShortcuts(event.currentTarget.checked);
          setOn(event.currentTarget.checked);
        }}
      />
      Single keys act as shortcuts
    </label>
  );
}
