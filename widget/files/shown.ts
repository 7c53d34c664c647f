/** The files of a message. */
import { sizeWords } from "../../client/attachments.ts";
import type { MessageFile } from "../../protocol/model.ts";
import { element } from "../dom.ts";

type AddressOf = (id: string) => Promise<string | null>;

/** What browsers show without a program of its own; everything else is a card. */
const IMAGE = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const VIDEO = /^video\/(?:mp4|webm|ogg)$/;

export function showFiles(
  into: HTMLElement,
  files: readonly MessageFile[],
  addressOf: AddressOf,
): void {
  into.replaceChildren(...files.map((file) => viewOf(file, addressOf)));
}

function viewOf(file: MessageFile, addressOf: AddressOf): HTMLElement {
  const { mediaType, name } = file;
  if (IMAGE.test(mediaType)) {
    const image = element("img", { alt: "", loading: "lazy" });
    if (file.width !== undefined) image.width = file.width;
    if (file.height !== undefined) image.height = file.height;
    const open = () => void enlarge(button, file, addressOf);
    const button = element(
      "button",
      { type: "button", className: "picture", ariaLabel: `Open ${name}`, onclick: open },
      image,
    );
    load(image, file, addressOf, button);
    return button;
  }
  if (mediaType.startsWith("audio/") || VIDEO.test(mediaType)) {
    const player = mediaType.startsWith("audio/") ? element("audio") : element("video");
    player.controls = true;
    player.preload = mediaType.startsWith("audio/") ? "none" : "metadata";
    player.ariaLabel = name;
    const title = name.startsWith("voice-message") ? "Voice message" : name;
    const view = element("div", {}, player, element("small", { dir: "auto" }, title));
    load(player, file, addressOf, view);
    return view;
  }
  return card(file, addressOf);
}

/** Sets the address; a new one once, when it is over; and a card where the file is gone. */
function load(
  media: HTMLImageElement | HTMLMediaElement,
  file: MessageFile,
  addressOf: AddressOf,
  view: HTMLElement,
): void {
  let attempts = 0;
  const set = async () => {
    const url = attempts++ < 2 ? await addressOf(file.id).catch(() => null) : null;
    if (url === null) view.replaceWith(card(file, addressOf));
    else media.src = url;
  };
  media.onerror = () => void set();
  void set();
}

function card(file: MessageFile, addressOf: AddressOf): HTMLElement {
  const state = element("small", {}, sizeWords(file.size));
  return element(
    "button",
    {
      type: "button",
      className: "card",
      async onclick() {
        const url = await addressOf(file.id).catch(() => null);
        if (url === null) state.textContent = "This file cannot be loaded.";
        else location.assign(`${url}&download`);
      },
    },
    element("span", { className: "sr" }, "Download "),
    element("span", { className: "what" }, element("b", { dir: "auto" }, file.name), state),
  );
}

/** The picture in full size; Esc closes it, and the focus goes back. */
async function enlarge(
  opener: HTMLElement,
  file: MessageFile,
  addressOf: AddressOf,
): Promise<void> {
  const url = await addressOf(file.id).catch(() => null);
  if (url === null) return;
  const close = () => dialog.close();
  const dialog = element(
    "dialog",
    { className: "big", ariaLabel: file.name },
    element(
      "header",
      {},
      element("p", { dir: "auto" }, file.name),
      element("a", { href: `${url}&download` }, "Download"),
      element("button", { type: "button", onclick: close }, "Close"),
    ),
    element("img", { src: url, alt: file.name }),
  );
  dialog.onclose = () => {
    dialog.remove();
    opener.focus();
  };
  // The panel closes on Esc, too.
  dialog.onkeydown = (event) => event.stopPropagation();
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  (opener.getRootNode() as ShadowRoot).append(dialog);
  dialog.showModal();
}
