import { Notice } from "./Notice.tsx";

/** A page that follows a table has stopped following it. */
export function StaleNotice({ problem }: { problem: string }) {
  return (
    <Notice tone="warn">
      Changes of others are not shown here: {problem} Reload the page to see them.
    </Notice>
  );
}
