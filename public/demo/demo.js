// The way any website calls the chat: calls made before widget.js arrives wait in a queue.
self.Parley ??= function (...call) {
  (self.Parley.q ??= []).push(call);
};
for (const button of document.querySelectorAll("[data-ask]")) {
  button.hidden = false;
  button.addEventListener("click", () => self.Parley("open"));
}
