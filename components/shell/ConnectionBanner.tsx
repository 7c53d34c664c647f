import { CloudOff, RefreshCw, WifiOff } from "lucide-preact";
import type { Trouble } from "../live/connection_model.ts";
import { useWorkspace } from "./context.ts";

const WORDS: Record<Exclude<Trouble, "none">, { title: string; text: string }> = {
  connecting: { title: "Connecting.", text: "This takes longer than usual." },
  reconnecting: {
    title: "Reconnecting.",
    text: "New messages show up when the connection is back.",
  },
  offline: {
    title: "You are offline.",
    text: "What you write is sent when the network is back.",
  },
  failed: { title: "Disconnected.", text: "The server ended the connection." },
};

/**
 * Shows nothing while the connection works. `elsewhere`: on pages without messages that could wait.
 */
export function ConnectionBanner({ elsewhere }: { elsewhere?: boolean }) {
  const workspace = useWorkspace();
  const trouble = workspace.connection.trouble.value;
  return (
    <div role="status" class="connection" data-trouble={trouble}>
      {trouble !== "none" && (
        <>
          {trouble === "offline"
            ? <WifiOff size={16} aria-hidden="true" />
            : trouble === "failed"
            ? <CloudOff size={16} aria-hidden="true" />
            : <RefreshCw size={16} aria-hidden="true" />}
          <p>
            <strong>{WORDS[trouble].title}</strong>{" "}
            <span>
              {elsewhere && trouble !== "failed" && trouble !== "connecting"
                ? "Changes can be saved when the connection is back."
                : WORDS[trouble].text}
            </span>
          </p>
          <button type="button" onClick={workspace.retryConnection}>Retry now</button>
        </>
      )}
    </div>
  );
}
