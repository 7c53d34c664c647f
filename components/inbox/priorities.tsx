import { SignalHigh, SignalLow, SignalMedium, TriangleAlert } from "lucide-preact";
import type { Priority } from "../../protocol/model.ts";

/** The highest first. */
export const PRIORITIES: { value: Priority; label: string }[] = [
  { value: "urgent", label: "Urgent" },
  { value: "high", label: "High" },
  { value: "normal", label: "Normal" },
  { value: "low", label: "Low" },
  { value: "none", label: "None" },
];

export function priorityWord(priority: Priority = "none"): string {
  return PRIORITIES.find(({ value }) => value === priority)!.label;
}

/** Nothing for none. */
export function PriorityIcon({ priority }: { priority: Priority | undefined }) {
  const common = {
    size: 14,
    class: "priority-icon",
    "data-priority": priority,
    "aria-hidden": true,
  };
  switch (priority) {
    case "urgent":
      return <TriangleAlert {...common} />;
    case "high":
      return <SignalHigh {...common} />;
    case "normal":
      return <SignalMedium {...common} />;
    case "low":
      return <SignalLow {...common} />;
    default:
      return null;
  }
}
