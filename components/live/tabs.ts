/** Coordination of the tabs of one browser, with locks that end with the tab. */

const LOOKING = "parley_looking_";
const TOLD = "parley_told_";
/** Milliseconds within which every tab has received the same event. */
const SAME_MS = 3_000;

/** Marks a conversation as shown by this tab, until the returned function is called. */
export function lookAt(conversationId: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  navigator.locks?.request(LOOKING + conversationId, { mode: "shared" }, () => promise)
    .catch(() => {});
  return resolve;
}

/** Whether a tab of this browser shows the conversation. */
export async function someTabLooksAt(conversationId: string): Promise<boolean> {
  const { held = [] } = await navigator.locks?.query() ?? {};
  return held.some(({ name }) => name === LOOKING + conversationId);
}

/** Runs `work` in one of the tabs that call it with the same key. */
export async function inOneTab(key: string, work: () => void): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(TOLD + key, { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    work();
    await new Promise((resolve) => setTimeout(resolve, SAME_MS));
  });
}
