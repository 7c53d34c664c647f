import { Plug, PlugZap, Unplug, WifiOff } from "lucide-preact";
import { Button } from "../ui/Button.tsx";
import type { LinkState } from "./link.ts";
import { linkTone, linkWords } from "./words.ts";

/** The state of a connection; screen readers announce changes. */
export function LinkPill({ link }: { link: LinkState }) {
  return (
    <p class="link-pill" role="status" data-tone={linkTone(link)}>
      <i aria-hidden="true" />
      {linkWords(link)}
    </p>
  );
}

export interface LinkActions {
  connect: () => void;
  disconnect: () => void;
  goOffline: () => void;
  comeBack: () => void;
}

const ICON = { size: 16, "aria-hidden": "true" } as const;

/** The actions that the state of a connection allows. */
export function LinkButtons({ link, actions }: { link: LinkState; actions: LinkActions }) {
  const off = link.name === "idle" || link.name === "failed";
  const offline = link.name === "offline";
  return (
    <div class="link-buttons" role="group" aria-label="Connection">
      {off || offline
        ? (
          <Button
            kind="primary"
            icon={offline ? <PlugZap {...ICON} /> : <Plug {...ICON} />}
            onClick={offline ? actions.comeBack : actions.connect}
          >
            {offline ? "Come back" : "Connect"}
          </Button>
        )
        : (
          <Button
            icon={<WifiOff {...ICON} />}
            onClick={link.name === "waiting" ? actions.connect : actions.goOffline}
          >
            {link.name === "waiting" ? "Try now" : "Go offline"}
          </Button>
        )}
      {!off && (
        <Button kind="quiet" icon={<Unplug {...ICON} />} onClick={actions.disconnect}>
          Disconnect
        </Button>
      )}
    </div>
  );
}
