import { useEffect, useState } from "preact/hooks";
import type { Rating, RatingList } from "../../protocol/analytics.ts";
import { mediumTime } from "../format/time.ts";
import { Stars } from "../ui/Stars.tsx";
import { Time } from "../ui/Time.tsx";
import { useInbox } from "./context.ts";

/** Ratings of one conversation, one for each time that it was resolved. */
const SHOWN = 5;

/** How the visitor rated this conversation; nothing while they did not. */
export function RatingFacts({ conversationId }: { conversationId: string }) {
  const inbox = useInbox();
  const [ratings, setRatings] = useState<readonly Rating[]>([]);
  const isShown = inbox.live.value && inbox.detailsShown.value;
  // A rating is a line of the history, too.
  const last = inbox.thread.snapshot.value.items.findLast(({ message }) =>
    message?.type === "activity"
  )?.key;
  useEffect(() => {
    if (!isShown) return;
    const ended = new AbortController();
    const query = new URLSearchParams({ conversationId, limit: String(SHOWN) });
    inbox.request<RatingList>(`/api/ratings?${query}`, { signal: ended.signal })
      .then(({ items }) => setRatings(items), () => {});
    return () => ended.abort();
  }, [conversationId, isShown, last]);
  if (ratings.length === 0) return null;
  return (
    <section aria-labelledby="context-rating">
      <h3 id="context-rating">Rating</h3>
      <ul class="ratings">
        {ratings.map(({ seq, rating, comment, createdAt }) => (
          <li key={seq}>
            <p>
              <Stars rating={rating} />
              <Time iso={createdAt} clock={inbox.clock.value} as={mediumTime} />
            </p>
            {comment && <q dir="auto">{comment}</q>}
          </li>
        ))}
      </ul>
    </section>
  );
}
