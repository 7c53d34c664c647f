/** The launcher, and variables that the panel uses, too. `important` overrides the site's rules. */
export const LAUNCHER_CSS = `
:host {
  all: initial !important;
  position: fixed !important;
  z-index: 2147483000 !important;
  inset: auto 0 0 auto !important;
  display: block !important;
  width: 0 !important;
  height: 0 !important;
  color-scheme: light dark;
}
:host([data-side="left"]) { inset: auto auto 0 0 !important; }
:host([hidden]) { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
.launcher {
  position: fixed;
  bottom: calc(20px + env(safe-area-inset-bottom, 0px));
  right: calc(20px + env(safe-area-inset-right, 0px));
  display: inline-flex;
  align-items: center;
  justify-content: center;
  gap: 10px;
  min-width: 60px;
  height: 60px;
  margin: 0;
  padding: 0 18px;
  border: 1px solid var(--edge);
  border-radius: 30px;
  background: var(--accent);
  color: var(--on-accent);
  font: 600 16px/1.2 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  cursor: pointer;
  box-shadow: 0 1px 3px rgb(0 0 0 / .2), 0 8px 28px rgb(0 0 0 / .22);
  transition: transform .16s ease, box-shadow .16s ease;
  -webkit-tap-highlight-color: transparent;
}
.launcher[hidden] { display: none; }
:host([data-side="left"]) .launcher {
  right: auto;
  left: calc(20px + env(safe-area-inset-left, 0px));
}
.launcher:hover { transform: translateY(-2px); box-shadow: 0 2px 4px rgb(0 0 0 / .2), 0 12px 32px rgb(0 0 0 / .28); }
.launcher:active { transform: none; }
.launcher:focus-visible { outline: 3px solid var(--on-accent); outline-offset: -6px; box-shadow: 0 0 0 3px var(--accent), 0 0 0 5px var(--on-accent); }
.launcher svg { width: 26px; height: 26px; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.launcher .shut, .launcher[aria-expanded="true"] .chat, .launcher[aria-expanded="true"] .label { display: none; }
.launcher[aria-expanded="true"] .shut { display: block; }
.badge {
  position: absolute;
  top: -4px;
  right: -4px;
  min-width: 24px;
  height: 24px;
  padding: 0 7px;
  border: 2px solid #fff;
  border-radius: 12px;
  background: #c81e3a;
  color: #fff;
  font: 700 13px/20px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  text-align: center;
}
.badge[hidden] { display: none; }
@media (max-width: 480px) {
  .launcher[aria-expanded="true"] { display: none; }
}
@media (prefers-reduced-motion: reduce) {
  .launcher { transition: none; }
  .launcher:hover { transform: none; }
}
@media (forced-colors: active) {
  .launcher { border: 2px solid ButtonText; }
}
@media print {
  :host { display: none !important; }
}
`;
