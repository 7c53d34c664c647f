/** A rating of 1 to 5, as stars and, for screen readers, in words. */
export function Stars({ rating }: { rating: number }) {
  return (
    <span class="stars">
      <span aria-hidden="true">
        {"★".repeat(rating)}
        <i>{"★".repeat(5 - rating)}</i>
      </span>
      <span class="sr-only">{rating} of 5</span>
    </span>
  );
}
