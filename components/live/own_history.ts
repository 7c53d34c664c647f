/**
 * Fresh's client handles every move in the history: it requests parts of the page, finds none in a
 * page that is one island, and reloads the page. The inbox navigates by itself, so Fresh's listener
 * must not receive these events.
 *
 * Listeners are called in the order in which they were added. This one is added when the module is
 * evaluated, and the page's script imports its islands before Fresh's client.
 */
const { navigation } = globalThis as { navigation?: EventTarget };

navigation?.addEventListener("navigate", (event) => {
  const { navigationType } = event as Event & { navigationType: string };
  if (navigationType === "traverse") event.stopImmediatePropagation();
});
