/** Of what the chunk draws, in the panel's shadow root. */
export const FILES_CSS = `
.bar { display: flex; flex-wrap: wrap; gap: 8px; margin: 0; padding: 0; list-style: none; }
.bar:not(:empty) { margin-bottom: 8px; }
.bar li, .card {
  display: flex; align-items: center; gap: 8px; min-width: 0; max-width: 100%; padding: 4px 4px 4px 12px;
  border: 1px solid var(--line); border-radius: 14px; background: var(--bg); color: var(--text); font-size: 14px;
  line-height: 1.3; text-align: start;
}
.bar li.bad { border-color: var(--bad); color: var(--bad); }
.bar .what, .card .what { display: grid; flex: 1; min-width: 0; }
.bar b, .card b { overflow: hidden; font-weight: 500; text-overflow: ellipsis; white-space: nowrap; }
.bar small, .card small { font-size: 12px; }
.bar progress { width: 100%; min-width: 96px; height: 4px; margin: 6px 0; accent-color: var(--accent); }
.bar button {
  display: grid; place-items: center; flex: none; min-width: 44px; height: 44px; padding: 0 8px; border: 0;
  border-radius: 22px; background: none; color: inherit; font-size: 14px;
}
.bar button:hover { background: var(--team); }
.shown { display: grid; gap: 6px; min-width: 0; white-space: normal; }
.shown + .text { display: block; margin-top: 6px; }
.picture { display: block; padding: 0; border: 0; border-radius: 12px; overflow: hidden; background: none; cursor: zoom-in; }
.picture img, .shown video {
  display: block; width: auto; height: auto; min-width: 48px; min-height: 48px; max-width: 100%; max-height: 240px;
  border-radius: 12px;
}
.shown audio { display: block; width: 240px; max-width: 100%; height: 44px; }
.shown small { font-size: 13px; }
.card { min-height: 48px; padding: 8px 14px; }
.card svg { width: 20px; height: 20px; }
.big {
  width: 100vw; height: 100vh; height: 100dvh; max-width: none; max-height: none; margin: 0; padding: 12px;
  box-sizing: border-box; border: 0; background: rgb(12 13 16 / .94); color: #fff; font: 15px/1.4 system-ui, sans-serif;
}
.big[open] { display: grid; grid-template-rows: auto 1fr; gap: 8px; }
.big header { display: flex; align-items: center; gap: 8px; }
.big p { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.big a, .big button { padding: 10px 14px; border: 0; border-radius: 22px; background: rgb(255 255 255 / .14); color: #fff; text-decoration: none; }
.big :focus-visible { outline: 3px solid #fff; }
.big img { place-self: center; max-width: 100%; max-height: calc(100vh - 90px); object-fit: contain; }
`;
