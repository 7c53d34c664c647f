/**
 * Fresh's client takes every move through the history for itself: it asks the server for parts of
 * the page, finds none in a page that is one island, and loads the page anew. The inbox moves by
 * itself, so Fresh's listener must not get to see these events.
 *
 * Listeners are called in the order in which they came, so this one is added when the module is
 * evaluated: the page's script imports its islands before Fresh's client.
 */
const { navigation } = globalThis as { navigation?: EventTarget };

navigation?.addEventListener("navigate", (event) => {
  const { navigationType } = event as Event & { navigationType: string };
  if (navigationType === "traverse") event.stopImmediatePropagation();
});
