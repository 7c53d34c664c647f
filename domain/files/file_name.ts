const MAX_NAME = 200;

/** Characters that change the direction of text: with them "exe.txt" is shown for "txt.exe". */
const NOT_SHOWN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** The name as it is kept: one line, no folders, and not longer than people read. */
export function cleanFileName(given: string): string {
  const name = given.normalize("NFC").toWellFormed().replace(/^.*[/\\]/s, "")
    .replace(NOT_SHOWN, "").trim().replace(/^\.+/, "");
  if (name === "") return "file";
  if (name.length <= MAX_NAME) return name;
  const ending = /\.[^.]{1,20}$/.exec(name)?.[0] ?? "";
  return name.slice(0, MAX_NAME - ending.length).toWellFormed() + ending;
}
