/**
 * The panel's style: rounder and larger than the dashboard, in the site's accent, in both themes.
 */
export const PANEL_CSS = `
:host {
  --bg: #ffffff; --text: #16181d; --muted: #5b616e; --line: #e3e6eb; --team: #eef0f4;
  --field: #ffffff; --ink: var(--ink-light); --bad: #b3122d; --good: #34d17c;
  --notice: #fff4d6; --notice-text: #5a4200;
}
@media (prefers-color-scheme: dark) {
  :host {
    --bg: #191b20; --text: #f0f1f4; --muted: #a3a9b6; --line: #33373f; --team: #2a2d35;
    --field: #22252b; --ink: var(--ink-dark); --bad: #ff8a9a; --good: #34d17c;
    --notice: #3a3016; --notice-text: #ffe3a1;
  }
}
[hidden] { display: none !important; }
.sr {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.panel {
  position: fixed;
  bottom: calc(92px + env(safe-area-inset-bottom, 0px));
  right: calc(20px + env(safe-area-inset-right, 0px));
  display: flex;
  flex-direction: column;
  width: min(392px, calc(100vw - 40px));
  height: min(660px, calc(100vh - 112px));
  overflow: hidden;
  border: 1px solid var(--line);
  border-radius: 22px;
  background: var(--bg);
  color: var(--text);
  font: 400 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  text-align: start;
  box-shadow: 0 2px 6px rgb(0 0 0 / .08), 0 18px 60px rgb(0 0 0 / .24);
  animation: rise .18s ease-out;
}
:host([data-side="left"]) .panel { right: auto; left: calc(20px + env(safe-area-inset-left, 0px)); }
.teaser {
  position: fixed;
  bottom: calc(92px + env(safe-area-inset-bottom, 0px));
  right: calc(20px + env(safe-area-inset-right, 0px));
  max-width: min(320px, calc(100vw - 40px));
  border: 1px solid var(--line);
  border-radius: 18px;
  background: var(--bg);
  color: var(--text);
  font: 400 16px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  box-shadow: 0 2px 6px rgb(0 0 0 / .08), 0 10px 32px rgb(0 0 0 / .2);
  animation: rise .18s ease-out;
}
:host([data-side="left"]) .teaser { right: auto; left: calc(20px + env(safe-area-inset-left, 0px)); }
div:has(+ .launcher[hidden]) .teaser { display: none; }
.teaser button { border: 0; background: none; }
.teaser-text {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden;
  padding: 0; margin: 14px 44px 14px 16px !important; text-align: start; overflow-wrap: anywhere;
}
.teaser-close {
  position: absolute; top: 4px; right: 4px; display: grid; place-items: center;
  width: 36px; height: 36px; padding: 0; border-radius: 50%; color: var(--muted) !important;
}
.teaser-close svg { width: 18px; height: 18px; }
.panel:focus { outline: none; }
.panel:focus-visible { outline: 3px solid var(--ink); outline-offset: -3px; }
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }
p, h2 { margin: 0; font: inherit; }
button, textarea { margin: 0; font: inherit; color: inherit; letter-spacing: normal; }
button { cursor: pointer; -webkit-tap-highlight-color: transparent; }
button:disabled, button[aria-disabled="true"] { cursor: default; }
svg { display: block; flex: none; width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }

.head {
  display: flex; align-items: center; gap: 12px; flex: none;
  padding: 16px 12px 16px 20px;
  border-bottom: 1px solid var(--edge);
  background: var(--accent); color: var(--on-accent);
}
.who { flex: 1; min-width: 0; }
.who h2 { font-size: 18px; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere; }
.who p { display: flex; align-items: baseline; gap: 7px; margin-top: 2px; font-size: 14px; line-height: 1.3; }
.dot { flex: none; width: 9px; height: 9px; border-radius: 50%; border: 2px solid currentColor; }
.dot.online { border: 1px solid #fff; background: #22b566; }
.faces { display: flex; flex: none; }
.faces .avatar { border: 2px solid var(--accent); background: var(--on-accent); color: var(--accent); }
.faces .avatar + .avatar { margin-inline-start: -10px; }
.avatar svg { width: 20px; height: 20px; }
.avatar {
  display: grid; place-items: center; flex: none; width: 36px; height: 36px; border-radius: 50%;
  background: var(--accent); color: var(--on-accent); font-size: 13px; font-weight: 650; line-height: 1;
}
.close {
  display: grid; place-items: center; flex: none; width: 44px; height: 44px; padding: 0;
  border: 0; border-radius: 50%; background: none;
}
.close:hover { background: var(--edge); }
.close:focus-visible { outline-color: var(--on-accent); outline-offset: -3px; }

.notice {
  display: flex; align-items: center; gap: 12px; flex: none; padding: 10px 20px;
  background: var(--notice); color: var(--notice-text); font-size: 14px;
}
.notice span { flex: 1; }
.notice button { min-height: 32px; padding: 4px 12px; border: 1px solid currentColor; border-radius: 16px; background: none; font-weight: 600; }

.thread { position: relative; display: flex; flex-direction: column; flex: 1; min-height: 0; }
.log { flex: 1; min-height: 0; padding: 20px 16px 12px; overflow: hidden auto; overscroll-behavior: contain; }
.log:focus-visible { outline-offset: -3px; }
.greeting { display: flex; gap: 10px; align-items: flex-end; margin-bottom: 16px; }
.greeting p { max-width: 82%; padding: 12px 16px; border-radius: 20px 20px 20px 6px; background: var(--team); white-space: pre-wrap; overflow-wrap: anywhere; }
.older {
  display: block; min-height: 36px; margin: 0 auto 16px; padding: 6px 16px; border: 1px solid var(--line);
  border-radius: 18px; background: none; color: var(--muted); font-size: 14px;
}
.older:not(:disabled):hover { color: var(--text); }
.day { margin: 20px 0 14px; color: var(--muted); font-size: 13px; text-align: center; }
.line { position: relative; display: flex; margin-top: 3px; }
.line.team { padding-inline-start: 46px; }
.line.last { margin-bottom: 14px; }
.line.own { justify-content: flex-end; }
.line > .avatar { position: absolute; inset-inline-start: 0; bottom: 24px; }
.said { position: relative; min-width: 0; max-width: 82%; }
.more {
  position: absolute; top: 0; inset-inline-start: 100%; width: 32px; height: 32px; padding: 0; border: 0; border-radius: 50%;
  background: none; color: var(--muted); opacity: 0;
}
.own .more { inset-inline: auto 100%; }
.line:hover .more, .more:focus-visible { opacity: 1; }
@media (hover: none) { .more { opacity: .7; } }
.team .said { max-width: 94%; }
.own .said { display: flex; flex-direction: column; align-items: flex-end; }
.name { margin: 0 0 4px 16px; color: var(--muted); font-size: 13px; }
.bubble {
  width: fit-content; max-width: 100%; padding: 10px 16px; border-radius: 20px;
  background: var(--team); white-space: pre-wrap; overflow-wrap: anywhere;
}
.team.last .bubble { border-end-start-radius: 6px; }
.bubble > [dir] { unicode-bidi: plaintext; overflow: clip; overflow-clip-margin: 3px; }
.name, .greeting p { overflow: clip; }
.own .bubble { background: var(--accent); color: var(--on-accent); }
.own.last .bubble { border-end-end-radius: 6px; }
.line.waiting { margin-top: 7px; }
.waiting .bubble { outline: 1px dashed var(--muted); outline-offset: 2px; }
.waiting .meta { margin-top: 5px; }
.bubble a { color: var(--ink); text-decoration: underline; text-underline-offset: 2px; border-radius: 3px; }
.text :is(p, li) { unicode-bidi: plaintext; }
.text :is(pre, ul, ol, blockquote) { margin: 0; padding: 0; }
.text * + :is(p, pre, ul, ol, blockquote) { margin-top: 8px; }
.text :is(ul, ol) { padding-inline-start: 22px; }
.text blockquote { padding-inline-start: 10px; border-inline-start: 3px solid; opacity: .85; }
.text :is(code, pre) { padding: 1px 4px; border-radius: 5px; background: rgb(128 128 128 / .18); font: .9em/1.5 ui-monospace, monospace; }
.text pre { padding: 8px 10px; white-space: pre-wrap; }
.own .bubble a { color: inherit; }
.own .bubble a:focus-visible { outline-color: var(--on-accent); }
.meta { display: flex; align-items: center; gap: 6px; min-height: 18px; margin: 3px 6px 0; color: var(--muted); font-size: 12px; line-height: 18px; }
.team .meta { margin-inline-start: 16px; }
.mark svg { width: 16px; height: 16px; }
.mark.read { color: var(--ink); }
.failed { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; margin-top: 6px; font-size: 14px; }
.failed p { display: flex; gap: 6px; width: 100%; justify-content: flex-end; color: var(--bad); }
.failed p svg { width: 18px; height: 18px; margin-top: 1px; }
.failed button { min-height: 32px; padding: 4px 12px; border: 1px solid var(--line); border-radius: 16px; background: none; }
.typing { display: flex; align-items: center; flex: none; gap: 10px; margin: 0 16px 8px; color: var(--muted); font-size: 14px; }
.dots { display: inline-flex; gap: 4px; padding: 10px 12px; border-radius: 18px; background: var(--team); }
.dots i { width: 6px; height: 6px; border-radius: 50%; background: var(--muted); animation: beat 1.2s infinite ease-in-out; }
.dots i:nth-child(2) { animation-delay: .15s; }
.dots i:nth-child(3) { animation-delay: .3s; }
@keyframes beat { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; } }
.skeleton { display: grid; gap: 10px; }
.skeleton i { width: 62%; height: 42px; border-radius: 20px; background: var(--team); animation: beat 1.6s infinite; }
.skeleton i:nth-of-type(2) { width: 44%; justify-self: end; }
.down {
  position: absolute; bottom: 10px; left: 50%; display: flex; align-items: center; gap: 6px; min-width: 40px; height: 40px;
  padding: 0 9px; transform: translateX(-50%); border: 1px solid var(--line); border-radius: 20px;
  background: var(--bg); font-size: 14px; font-weight: 600; box-shadow: 0 4px 16px rgb(0 0 0 / .16);
}
.down span { padding-inline-end: 6px; white-space: nowrap; }
.down svg { width: 20px; height: 20px; }

.rating { flex: none; padding: 12px 16px; border-top: 1px solid var(--line); text-align: center; }
.stars { display: flex; justify-content: center; }
.stars button {
  width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%; background: none;
  color: var(--control, #868c98); font-size: 26px; line-height: 1;
}
.stars button:hover, .stars .lit { color: var(--ink); }
.rating form { display: flex; gap: 8px; margin-top: 4px; }
.rating input {
  flex: 1; min-width: 0; min-height: 44px; padding: 4px 16px; border: 1px solid var(--control, #868c98);
  border-radius: 22px; background: var(--field); color: inherit; font: inherit;
}
.rating form button { min-height: 44px; padding: 4px 16px; border: 1px solid var(--line); border-radius: 22px; background: none; }
.composer { flex: none; padding: 10px 12px 14px; border-top: 1px solid var(--line); }
.excess { margin: 0 8px 8px; color: var(--bad); font-size: 14px; }
.field {
  display: flex; align-items: flex-end; gap: 6px; padding: 4px 4px 4px 0;
  border: 1px solid var(--control, #868c98); border-radius: 26px; background: var(--field);
}
.field:focus-within { border-color: var(--ink); box-shadow: 0 0 0 1px var(--ink); }
textarea {
  flex: 1; min-width: 0; min-height: 44px; padding: 10px 4px 10px 18px; border: 0; outline: 0; resize: none;
  background: none; font-size: 16px; line-height: 24px; overflow-y: auto;
}
textarea:focus-visible { outline: 0; }
textarea::placeholder { color: var(--muted); opacity: 1; }
.tool {
  display: grid; place-items: center; flex: none; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%;
  background: none; color: var(--muted);
}
.tool:hover { color: var(--text); }
.tool + textarea { padding-inline-start: 0; }
.send {
  display: grid; place-items: center; flex: none; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%;
  background: var(--accent); color: var(--on-accent);
}
.send[aria-disabled="true"] { background: var(--team); color: var(--muted); }

@media (pointer: coarse) {
  .older, .notice button, .failed button { min-height: 44px; border-radius: 22px; }
  .down { min-width: 44px; height: 44px; border-radius: 22px; }
}
@media (max-width: 480px) {
  .panel, :host([data-side="left"]) .panel {
    inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0;
  }
  .head { padding-top: calc(12px + env(safe-area-inset-top, 0px)); padding-bottom: 12px; }
  .head, .log, .composer, .notice {
    padding-left: calc(16px + env(safe-area-inset-left, 0px));
    padding-right: calc(16px + env(safe-area-inset-right, 0px));
  }
  .head { padding-right: calc(8px + env(safe-area-inset-right, 0px)); }
  .composer { padding-bottom: calc(12px + env(safe-area-inset-bottom, 0px)); }
}
@media (max-height: 420px) {
  .head { padding-top: 4px; padding-bottom: 4px; }
  .faces { display: none; }
  .log { padding-top: 10px; }
  .composer { padding-top: 6px; padding-bottom: 6px; }
}
@media (prefers-reduced-motion: reduce) {
  .panel, .dots i, .skeleton i { animation: none; }
}
@media (forced-colors: active) {
  .panel, .bubble, .greeting p, .send, .avatar, .notice { border: 1px solid CanvasText; }
  .head { border-bottom: 1px solid CanvasText; }
  .dot.online { background: Highlight; forced-color-adjust: none; }
}
`;
