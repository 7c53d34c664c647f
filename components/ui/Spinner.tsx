/** Decoration only: a text beside it has to say what is going on. */
export function Spinner() {
  return <span class="spinner" aria-hidden="true" />;
}
