/**
 * The clipboard API exists on secure pages only. A server in a local network is often reached by
 * plain HTTP, where the old command still works on a selected field.
 *
 * @param inside takes the field: an open dialog, because nothing outside of it can be selected
 * @returns false: the browser refused
 */
export async function copyText(text: string, inside: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const before = document.activeElement as HTMLElement | null;
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr-only";
    inside.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    before?.focus();
    return done;
  }
}
