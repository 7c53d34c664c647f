/** A piece of a page that is safe to put into one. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | null | Part[];

function render(part: Part): string {
  if (part === null) return "";
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(render).join("");
  return String(part).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A template whose values are escaped, but for those that are Html already. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(
    strings.reduce((text, string, index) => text + render(values[index - 1] ?? null) + string),
  );
}
