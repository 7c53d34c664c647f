import { useState } from "preact/hooks";
import type { Chat, ChatState } from "./chat.ts";

const STARS = [1, 2, 3, 4, 5];
/** The server's limit. */
const MAX_COMMENT = 2000;

/** Shown when the conversation is resolved: one press rates it, and a comment may follow. */
export function Rating({ chat, state }: { chat: Chat; state: ChatState }) {
  const [comment, setComment] = useState("");
  const { rating } = state;
  // The region always exists: screen readers announce its new content.
  return (
    <div role="status" class={rating === null ? undefined : "rating"}>
      {rating !== null && (
        <>
          <p id="rate">
            {rating.failed
              ? "Your rating could not be saved. Try again?"
              : rating.given === 0
              ? "How did we do?"
              : rating.done
              ? "Thank you for your comment."
              : "Thank you! Would you like to say more?"}
          </p>
          {!rating.done && (
            <div class="stars" role="group" aria-labelledby="rate">
              {STARS.map((star) => (
                <button
                  key={star}
                  type="button"
                  aria-label={`${star} of 5`}
                  aria-pressed={rating.given === star}
                  class={star <= rating.given ? "lit" : undefined}
                  onClick={() => chat.rate(star)}
                >
                  ★
                </button>
              ))}
            </div>
          )}
          {rating.given > 0 && !rating.done && (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (comment.trim() !== "") chat.rate(rating.given, comment.trim());
              }}
            >
              <input
                value={comment}
                maxLength={MAX_COMMENT}
                aria-label="Your comment on this conversation"
                onInput={(event) => setComment(event.currentTarget.value)}
              />
              <button type="submit">Send</button>
            </form>
          )}
        </>
      )}
    </div>
  );
}
