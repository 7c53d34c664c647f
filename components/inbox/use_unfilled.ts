import { useState } from "preact/hooks";

const VARIABLE = /\{\{[^{}\n]{1,60}\}\}/;

/** Asks before a text is sent in which a variable of a canned reply has no value. */
export function useUnfilled(text: string) {
  const [confirming, setConfirming] = useState<string | null>(null);
  const variable = VARIABLE.exec(text)?.[0] ?? null;
  const isConfirming = variable !== null && confirming === variable;
  return {
    /** The first of them; null: there is none. */
    variable,
    /** The agent was asked to confirm. */
    isConfirming,
    /** True: it must not be sent yet, and the agent is asked. */
    blocks(): boolean {
      if (variable === null || isConfirming) return false;
      setConfirming(variable);
      return true;
    },
  };
}
