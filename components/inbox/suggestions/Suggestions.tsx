import "../../styles/suggestions.css";
import { CannedList } from "./CannedList.tsx";
import { EmojiList } from "./EmojiList.tsx";
import { MentionList } from "./MentionList.tsx";
import type { SuggestionsProps } from "./props.ts";

/** The list that belongs to what is being written. */
export function Suggestions(props: SuggestionsProps) {
  switch (props.trigger.kind) {
    case "mention":
      return <MentionList {...props} />;
    case "canned":
      return <CannedList {...props} />;
    case "emoji":
      return <EmojiList {...props} />;
  }
}
