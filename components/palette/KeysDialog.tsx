import "../styles/palette.css";
import { Dialog } from "../ui/Dialog.tsx";
import { Switch } from "../ui/Switch.tsx";
import { useWorkspace } from "../shell/context.ts";
import { KEY_GROUPS } from "./key_list.ts";

/** All keys, and the switch for those without Ctrl. `isInbox`: the page has conversations. */
export default function KeysDialog({ isInbox }: { isInbox: boolean }) {
  const { helpOpen } = useWorkspace();
  return (
    <Dialog open wide title="Keyboard shortcuts" onClose={() => helpOpen.value = false}>
      <SingleKeys />
      {KEY_GROUPS.map(({ title, keys, onlyInbox }) => (
        <section key={title} aria-label={title} class="keys-group">
          <h3 class="menu-heading">{title}</h3>
          {onlyInbox && !isInbox && <p class="keys-lead">These work in the inbox.</p>}
          <dl class="keys">
            {keys.map(([does, ...press]) => (
              <div key={does}>
                <dt>{does}</dt>
                <dd>{press.map((key) => <kbd class="kbd" key={key}>{key}</kbd>)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

function SingleKeys() {
  const { preferences, setPreferences } = useWorkspace();
  return (
    <Switch
      id="single-keys"
      label="Single-key shortcuts"
      checked={preferences.value.singleKeys}
      onChange={(singleKeys) => void setPreferences({ singleKeys })}
    />
  );
}
