/**
 * Blocks of code as people type them in chats: "```" in the middle of a line, too. Markdown wants each
 * on a line of its own.
 */

const FENCE = "```";
/** What may stand before a fence: indentation and the marks of quotes. */
const MARGIN = /^[ >]*/;

/** Moves the fences of blocks to lines of their own. Code within one line stays where it is. */
export function separateFences(text: string): string {
  if (!text.includes(FENCE) || !text.includes("\n")) return text;
  const lines = text.split("\n");
  let left = lines.reduce((count, line) => count + runs(line), 0);
  const result: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    const here = runs(line);
    left -= here;
    const margin = MARGIN.exec(line)![0];
    if (here === 0) result.push(line);
    else if (isOpen) {
      const at = line.indexOf(FENCE);
      if (at > margin.length) result.push(line.slice(0, at));
      result.push(margin + FENCE);
      const after = line.slice(at).replace(/^`+/, "");
      if (after.trim() !== "") result.push(margin + after.trimStart());
      isOpen = here % 2 === 0;
    } else {
      const at = line.lastIndexOf(FENCE);
      const opens = here % 2 === 1 && (left > 0 || at === margin.length);
      if (opens && at > margin.length) {
        result.push(line.slice(0, at).trimEnd(), margin + line.slice(at));
      } else result.push(line);
      isOpen = opens;
    }
  }
  return result.join("\n");
}

const runs = (line: string) => line.match(/`{3,}/g)?.length ?? 0;
