/** The look of /api/docs: the dashboard's colours and sizes, in a page that is served without its build. */
export const DOCS_CSS = `
:root {
  color-scheme: light dark;
  --accent: oklch(0.53 0.2 272);
  --accent-text: light-dark(oklch(0.48 0.2 272), oklch(0.79 0.13 272));
  --accent-soft: light-dark(oklch(0.955 0.026 272), oklch(0.285 0.042 272));
  --focus: light-dark(oklch(0.58 0.2 272), oklch(0.72 0.2 272));
  --canvas: light-dark(oklch(0.975 0.003 265), oklch(0.165 0.006 268));
  --surface: light-dark(#fff, oklch(0.212 0.008 268));
  --fill: light-dark(oklch(0.958 0.004 265), oklch(0.262 0.01 268));
  --line: light-dark(oklch(0.918 0.005 265), oklch(0.283 0.01 268));
  --text: light-dark(oklch(0.24 0.018 268), oklch(0.94 0.004 265));
  --text-2: light-dark(oklch(0.43 0.018 268), oklch(0.78 0.01 265));
  --text-3: light-dark(oklch(0.5 0.016 268), oklch(0.705 0.013 265));
  --good: light-dark(oklch(0.44 0.11 152), oklch(0.82 0.13 152));
  --good-soft: light-dark(oklch(0.95 0.035 152), oklch(0.3 0.05 152));
  --warn: light-dark(oklch(0.46 0.1 58), oklch(0.85 0.11 75));
  --warn-soft: light-dark(oklch(0.96 0.035 80), oklch(0.31 0.045 70));
  --bad: light-dark(oklch(0.48 0.18 25), oklch(0.8 0.12 22));
  --bad-soft: light-dark(oklch(0.96 0.02 20), oklch(0.29 0.06 22));
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace;
}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 16px; text-size-adjust: 100%; }
body {
  margin: 0;
  display: grid;
  grid-template-columns: 220px minmax(0, 1fr);
  background: var(--canvas);
  color: var(--text);
  font: 0.875rem/1.5 "Inter Variable", system-ui, sans-serif;
}
a { color: var(--accent-text); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; inset: 8px auto auto 8px; padding: 8px 12px; background: var(--surface); }
.skip:not(:focus) { transform: translateY(-200%); }
nav {
  position: sticky;
  top: 0;
  block-size: 100vh;
  overflow-y: auto;
  padding: 20px 12px;
  border-inline-end: 1px solid var(--line);
}
nav ul, .contents ul { margin: 0; padding: 0; list-style: none; }
nav a, .contents a {
  display: block;
  padding: 5px 8px;
  border-radius: 6px;
  color: var(--text-2);
  text-decoration: none;
}
nav a:hover, .contents a:hover { background: var(--fill); color: var(--text); }
.brand { margin: 0 8px 12px; font-weight: 600; }
nav li:nth-child(4) { margin-block-start: 8px; padding-block-start: 8px; border-block-start: 1px solid var(--line); }
main { padding: 32px 32px 96px; max-inline-size: 1000px; }
h1 { margin: 0; font-size: 1.25rem; line-height: 1.3; }
h2 { margin: 40px 0 12px; font-size: 1rem; }
h3 { margin: 20px 0 8px; font-size: 0.875rem; }
.inside h3 { font-size: 0.8125rem; }
p { margin: 8px 0; max-inline-size: 70ch; }
section > ul { padding-inline-start: 20px; max-inline-size: 75ch; }
section > ul li { margin-block: 4px; }
.lead, .quiet { color: var(--text-2); }
.contents { display: none; }
code, pre { font-family: var(--mono); font-size: 0.8125rem; }
:not(pre, .path, th) > code:not(.path) {
  padding: 1px 4px;
  border-radius: 4px;
  background: var(--fill);
  overflow-wrap: anywhere;
}
pre {
  margin: 0;
  padding: 12px;
  overflow-x: auto;
  border-radius: 8px;
  background: var(--fill);
}
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); }
table { inline-size: 100%; border-collapse: collapse; font-size: 0.8125rem; }
th, td { padding: 7px 12px; text-align: start; vertical-align: top; }
thead th { color: var(--text-3); font-weight: 500; font-size: 0.75rem; }
thead th:first-child { inline-size: 36%; }
tbody th { font-weight: 400; white-space: nowrap; }
tbody tr { border-block-start: 1px solid var(--line); }
td { color: var(--text-2); min-inline-size: 120px; overflow-wrap: anywhere; }
.needed { color: var(--bad); font-size: 0.75rem; }
.status { color: var(--good); font-variant-numeric: tabular-nums; }
.route { border: 1px solid var(--line); background: var(--surface); }
.route + .route { border-block-start: 0; }
.route:first-of-type { border-start-start-radius: 8px; border-start-end-radius: 8px; }
.route:last-of-type { border-end-start-radius: 8px; border-end-end-radius: 8px; }
.route > summary {
  display: grid;
  grid-template-columns: 60px minmax(0, 1fr);
  gap: 2px 12px;
  align-items: baseline;
  padding: 10px 12px;
  cursor: pointer;
  list-style: none;
}
.route > summary::-webkit-details-marker { display: none; }
.route > summary:hover { background: var(--fill); }
.route[open] > summary { border-block-end: 1px solid var(--line); }
.route:target { box-shadow: inset 2px 0 var(--accent); }
.path { overflow-wrap: anywhere; }
.path i { color: var(--accent-text); font-style: normal; }
.about { grid-column: 2; color: var(--text-2); font-size: 0.8125rem; }
.inside { padding: 4px 16px 16px; }
.method {
  padding: 1px 0;
  border-radius: 4px;
  text-align: center;
  font-size: 0.6875rem;
  font-weight: 600;
  background: var(--fill);
  color: var(--text-2);
}
.method[data-method="GET"] { background: var(--accent-soft); color: var(--accent-text); }
.method[data-method="POST"] { background: var(--good-soft); color: var(--good); }
.method[data-method="PATCH"] { background: var(--warn-soft); color: var(--warn); }
.method[data-method="DELETE"] { background: var(--bad-soft); color: var(--bad); }
@media (max-width: 760px) {
  body { display: block; }
  nav { display: none; }
  main { padding: 20px 16px 64px; }
  .contents { display: block; margin-block-start: 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); }
  .contents > summary { padding: 12px; cursor: pointer; font-weight: 500; }
  .contents ul { padding: 0 4px 8px; }
  .contents a { padding: 10px 8px; }
}
@media print {
  nav, .contents { display: none; }
  body { display: block; }
}
@media (forced-colors: active) {
  .method { border: 1px solid CanvasText; }
}
`;
