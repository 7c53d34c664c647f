import { Avatar } from "../../ui/Avatar.tsx";
import { useInbox } from "../context.ts";
import { candidates, withMention } from "./mentions.ts";
import { OptionList } from "./OptionList.tsx";
import type { SuggestionsProps } from "./props.ts";

const SHOWN = 6;

/** Colleagues whose name begins with what is written after "@". */
export function MentionList(props: SuggestionsProps) {
  const { users, user } = useInbox();
  const { trigger, text, onPut } = props;
  const colleagues = users.value.filter((one) => one.disabledAt === null && one.id !== user.id);
  const options = candidates(colleagues, trigger, SHOWN).map((person) => ({
    key: person.id,
    content: (
      <>
        <Avatar id={person.id} name={person.name} size="s" shape="team" />
        <span class="truncate" dir="auto">{person.name}</span>
      </>
    ),
    take() {
      const next = withMention(text(), trigger, person.name);
      onPut(next.text, next.caret);
    },
  }));
  return <OptionList {...props} label="Colleagues" options={options} />;
}
