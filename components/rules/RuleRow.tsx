import type { JSX } from "preact";
import { ArrowDown, ArrowUp, GripVertical, Pencil } from "lucide-preact";
import type { ContextRule } from "../../protocol/model.ts";
import { IconButton } from "../ui/Button.tsx";
import { whenWords } from "./draft.ts";

export interface RuleRowProps {
  rule: ContextRule;
  index: number;
  count: number;
  /** Read-only. */
  locked: boolean;
  dragged: boolean;
  style: JSX.CSSProperties | undefined;
  handle: JSX.HTMLAttributes<HTMLElement>;
  onSwitch: (enabled: boolean) => void;
  onMove: (to: number) => void;
  onEdit: () => void;
}

export function RuleRow(props: RuleRowProps) {
  const { rule, index, count, locked, dragged, style, handle, onSwitch, onMove, onEdit } = props;
  const { name, enabled } = rule;
  return (
    <li
      class="rule"
      data-id={rule.id}
      data-off={enabled ? undefined : ""}
      data-dragged={dragged ? "" : undefined}
      style={style}
    >
      {!locked && (
        <span {...handle} class="rule-handle" aria-hidden="true">
          <GripVertical size={16} />
        </span>
      )}
      <span class="switch">
        <input
          type="checkbox"
          role="switch"
          aria-label={`${name}: switched on`}
          checked={enabled}
          disabled={locked}
          onChange={(event) => onSwitch(event.currentTarget.checked)}
        />
      </span>
      <div class="rule-words">
        <strong dir="auto">{name}</strong>
        <span>{whenWords(rule.conditions)}</span>
        {rule.actions.map((action) =>
          action.kind === "bot_message" && <q key={action.content} dir="auto">{action.content}</q>
        )}
      </div>
      {!locked && (
        <div class="rule-tools">
          <IconButton
            label={`Move ${name} up`}
            aria-disabled={index === 0 ? "true" : undefined}
            data-move="up"
            tipAt="start"
            onClick={() => index > 0 && onMove(index - 1)}
          >
            <ArrowUp size={16} />
          </IconButton>
          <IconButton
            label={`Move ${name} down`}
            aria-disabled={index === count - 1 ? "true" : undefined}
            data-move="down"
            tipAt="start"
            onClick={() => index < count - 1 && onMove(index + 1)}
          >
            <ArrowDown size={16} />
          </IconButton>
          <IconButton label={`Edit ${name}`} tipAt="start" onClick={onEdit}>
            <Pencil size={16} />
          </IconButton>
        </div>
      )}
    </li>
  );
}
