/** The logo: two speech bubbles that share an edge. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 28 28" aria-hidden="true">
      <rect class="logo-ground" width="28" height="28" rx="8" />
      <path
        class="logo-far"
        d="M11.5 6.5h5a5 5 0 0 1 0 10h-2V14a3 3 0 0 0-3-3H7.2a5 5 0 0 1 4.3-4.5z"
      />
      <path
        class="logo-near"
        d="M6.5 14a1.5 1.5 0 0 1 1.5-1.5h3.5A1.5 1.5 0 0 1 13 14v4.2h2.6a5.2 5.2 0 0 1-4.1 2.3H6.5z"
      />
    </svg>
  );
}
