import { useEffect, useState } from "preact/hooks";
import { replaceTrigger } from "../triggers.ts";
import type { Emoji } from "./emoji.ts";
import { OptionList } from "./OptionList.tsx";
import type { SuggestionsProps } from "./props.ts";

const SHOWN = 8;
type Find = (text: string, limit: number) => Emoji[];

/** Emoji whose name or keyword begins with what is written after ":". */
export function EmojiList(props: SuggestionsProps) {
  const { trigger, text, onPut } = props;
  // In an object: useState would call the function.
  const [data, setData] = useState<{ find: Find } | null>(null);
  useEffect(() => {
    import("./emoji.ts").then(({ findEmoji }) => setData({ find: findEmoji }), () => {});
  }, []);
  const options = (data?.find(trigger.text, SHOWN) ?? []).map(({ unicode, label }) => ({
    key: label.replace(/\W+/g, "-"),
    content: (
      <>
        <span class="emoji" aria-hidden="true">{unicode}</span>
        <span class="truncate">{label}</span>
      </>
    ),
    take() {
      const next = replaceTrigger(text(), trigger, `${unicode} `);
      onPut(next.text, next.caret);
    },
  }));
  return <OptionList {...props} label="Emoji" options={options} />;
}
