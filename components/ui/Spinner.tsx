/** Decoration: whoever shows it says in words what is going on. */
export function Spinner() {
  return <span class="spinner" aria-hidden="true" />;
}
