/** Of what the chunk draws, in the panel's shadow root. */
export const ACTIONS_CSS = `
.sheet {
  display: grid; gap: 8px; margin-bottom: 10px; padding: 12px 14px; border: 1px solid var(--line);
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
.choices { display: flex; flex-wrap: wrap; gap: 8px; }
.choices button {
  min-height: 40px; padding: 4px 14px; border: 1px solid var(--line); border-radius: 20px;
  background: var(--bg); font-weight: 600; font-size: 14px;
}
.choices button:hover { border-color: var(--muted); }
.choices .go { border-color: transparent; background: var(--accent); color: var(--on-accent); }
`;
