import { useEffect, useState } from "preact/hooks";
import { Download } from "lucide-preact";
import type { Rating, RatingList } from "../../protocol/analytics.ts";
import { mediumTime } from "../format/time.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { Stars } from "../ui/Stars.tsx";
import { Time } from "../ui/Time.tsx";
import type { AnalyticsModel } from "./analytics_model.ts";

const PAGE = 20;

/** The ratings of the range with their comments, newest first. */
export function Ratings({ model }: { model: AnalyticsModel }) {
  const { request, clock } = useWorkspace();
  const [items, setItems] = useState<readonly Rating[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const range = model.ratingsQuery();

  async function load(after: string | null, signal?: AbortSignal): Promise<void> {
    setBusy(true);
    try {
      const more = after === null ? "" : `&cursor=${encodeURIComponent(after)}`;
      const path = `/api/ratings?${range}&limit=${PAGE}${more}`;
      const page = await request<RatingList>(path, { signal });
      if (signal?.aborted) return;
      setItems((known) => after === null ? page.items : [...known ?? [], ...page.items]);
      setCursor(page.nextCursor);
      setProblem(null);
    } catch (error) {
      if (!signal?.aborted) setProblem(errorText(error));
    } finally {
      if (!signal?.aborted) setBusy(false);
    }
  }
  useEffect(() => {
    const ended = new AbortController();
    void load(null, ended.signal);
    return () => ended.abort();
  }, [range]);

  return (
    <section class="figure-part" aria-labelledby="ratings">
      <header class="ratings-head">
        <h2 id="ratings">Ratings</h2>
        {items !== null && items.length > 0 && (
          <Button
            size="s"
            icon={<Download size={16} aria-hidden="true" />}
            onClick={model.downloadRatings}
          >
            CSV
          </Button>
        )}
      </header>
      {problem !== null && (
        <Notice>
          {problem}{" "}
          <button type="button" class="link" onClick={() => void load(null)}>Try again</button>
        </Notice>
      )}
      {items === null
        ? problem === null && <ListSkeleton rows={3} label="Loading ratings" />
        : items.length === 0
        ? <p class="figure-none">Nobody has rated a conversation in this range.</p>
        : (
          <ul class="ratings">
            {items.map((one) => (
              <li key={`${one.conversationId} ${one.seq}`}>
                <p>
                  <Stars rating={one.rating} />
                  <a class="link" href={`/conversations/${one.conversationId}`} dir="auto">
                    {one.contactName.trim() || "Visitor"}
                  </a>
                  {one.agentName && (
                    <span>
                      answered by <bdi>{one.agentName}</bdi>
                    </span>
                  )}
                  <Time iso={one.createdAt} clock={clock.value} as={mediumTime} />
                </p>
                {one.comment && <q dir="auto">{one.comment}</q>}
              </li>
            ))}
          </ul>
        )}
      {cursor !== null && (
        <Button size="s" busy={busy} onClick={() => void load(cursor)}>Show older</Button>
      )}
    </section>
  );
}
