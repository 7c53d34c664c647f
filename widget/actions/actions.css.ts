/** Of what the chunk draws, in the panel's shadow root. */
export const ACTIONS_CSS = `
.sheet {
  position: relative; display: grid; gap: 8px; margin-bottom: 10px; padding: 12px 14px; border: 1px solid var(--line);
  border-radius: 18px; background: var(--team); font-size: 15px;
}
.sheet[aria-busy="true"] { opacity: .6; }
.sheet p:empty { display: none; }
.sheet [role="alert"] { color: var(--bad); font-size: 14px; }
.excerpt {
  overflow: hidden; padding-inline-start: 10px; border-inline-start: 3px solid var(--ink);
  color: var(--muted); font-size: 14px; text-overflow: ellipsis; white-space: nowrap;
}
.sheet textarea {
  min-height: 44px; max-height: 160px; padding: 8px 12px; border: 1px solid var(--control, #868c98);
  border-radius: 12px; background: var(--field); field-sizing: content;
}
.sheet .end { position: absolute; top: 4px; inset-inline-end: 6px; width: 40px; height: 40px; border: 0; background: none; color: var(--muted); }
.sheet:has(.end) .excerpt { margin-inline-end: 36px; }
.reply { grid-template-columns: 1fr auto; align-items: center; gap: 0 8px; padding-block: 6px; }
.reply b { font-size: 14px; }
.reply .excerpt { grid-row: 2; }
.reply button { grid-row: 1 / 3; grid-column: 2; width: 40px; height: 40px; border: 0; border-radius: 50%; background: none; color: var(--muted); }
.quote {
  display: grid; max-width: 100%; margin-bottom: 6px; padding: 4px 10px; border: 0; border-inline-start: 3px solid;
  border-radius: 6px; background: rgb(128 128 128 / .16); font-size: 14px; text-align: start; white-space: nowrap;
}
.quote > :not(.sr) { overflow: hidden; text-overflow: ellipsis; }
.own .quote:focus-visible { outline-color: var(--on-accent); }
.found .bubble { box-shadow: 0 0 0 3px var(--ink); }
.usual { display: flex; gap: 4px; }
.usual button { width: 40px; height: 40px; padding: 0; border: 0; border-radius: 50%; background: none; font-size: 22px; }
.usual button:hover { background: var(--bg); }
.reactions { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 4px; }
.reactions button {
  min-height: 30px; padding: 2px 10px; border: 1px solid var(--line); border-radius: 15px; background: var(--bg);
  font-size: 14px;
}
.reactions [aria-pressed="true"] { border-color: var(--ink); background: var(--team); font-weight: 600; }
.choices { display: flex; flex-wrap: wrap; gap: 8px; }
.choices button {
  min-height: 40px; padding: 4px 14px; border: 1px solid var(--line); border-radius: 20px;
  background: var(--bg); font-weight: 600; font-size: 14px;
}
.choices button:hover { border-color: var(--muted); }
.choices .go { border-color: transparent; background: var(--accent); color: var(--on-accent); }
`;
