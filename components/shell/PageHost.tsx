import { useEffect, useState } from "preact/hooks";
import type { ComponentType } from "preact";
import { arrived, follow, type PageComponent } from "../live/page_navigation.ts";
import { navigationFailed } from "../live/workspace_model.ts";

interface Shown {
  Page: PageComponent;
  start: string;
  /** Counts the pages that were shown, so that each begins anew. */
  count: number;
}

/**
 * Around an island that is a whole page. The one that the browser has loaded shows the others, too,
 * when their links are followed: each island has its content as `Page`.
 */
export function PageHost<Start extends string>({ Page, start }: {
  Page: ComponentType<{ start: Start }>;
  start: Start;
}) {
  const [shown, setShown] = useState<Shown>({ Page, start, count: 0 });
  useEffect(() =>
    follow({
      show: (next) => setShown(({ count }) => ({ ...next, count: count + 1 })),
      failed: navigationFailed,
    }), []);
  useEffect(() => {
    if (shown.count > 0) arrived();
  }, [shown.count]);
  return <shown.Page key={shown.count} start={shown.start} />;
}
