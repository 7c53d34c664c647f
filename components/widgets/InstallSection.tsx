import { useEffect, useState } from "preact/hooks";
import type { WidgetConfig } from "../../protocol/model.ts";
import { useWorkspace } from "../shell/context.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Section } from "../ui/Section.tsx";

/** The HTML that adds a widget to a website. `origin` is the address of this server. */
export function scriptTag(origin: string, widgetKey: string): string {
  return `<script src="${origin}/widget.js" data-widget-key="${widgetKey}" async></script>`;
}

export function InstallSection({ widget, origin, onDemo }: {
  widget: WidgetConfig;
  /** The origin of the request, as the server sees it. */
  origin: string;
  /** Whether the demo site shows this widget. */
  onDemo: boolean;
}) {
  const { toasts } = useWorkspace();
  // Only the browser knows the origin if there is a proxy.
  const [reached, setReached] = useState(origin);
  useEffect(() => setReached(location.origin), []);
  const tag = scriptTag(reached, widget.widgetKey);
  return (
    <Section
      id="install"
      title="Put it on your website"
      lead={
        <>
          Paste this line before <code>&lt;/body&gt;</code> on every page that should have the chat.
        </>
      }
    >
      <div class="snippet">
        <code class="mono">{tag}</code>
        <CopyButton
          kind="primary"
          text={tag}
          onRefused={() =>
            toasts.show({
              tone: "bad",
              text: "Your browser blocked copying. Select the line and copy it by hand.",
            })}
        >
          Copy
        </CopyButton>
      </div>
      {onDemo && (
        <p class="section-note">
          <a class="link" href="/demo" target="_blank">See it on the demo site</a>
        </p>
      )}
    </Section>
  );
}
