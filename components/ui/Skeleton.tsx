/** Placeholders for rows that are loading. `label` is for screen readers. */
export function ListSkeleton({ rows, label }: { rows: number; label: string }) {
  return (
    <div class="skeleton list-skeleton" role="status">
      <span class="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} aria-hidden="true">
          <i class="sk-avatar" />
          <i class="sk-line" />
          <i class="sk-line" />
        </div>
      ))}
    </div>
  );
}

export function ThreadSkeleton({ label }: { label: string }) {
  return (
    <div class="skeleton thread-skeleton" role="status">
      <span class="sr-only">{label}</span>
      {["contact", "contact", "own", "contact", "own", "own"].map((side, i) => (
        <i key={i} data-side={side} aria-hidden="true" />
      ))}
    </div>
  );
}
