import { useEffect, useState } from "preact/hooks";
import { Check, Copy } from "lucide-preact";
import { Button, type ButtonProps } from "./Button.tsx";
import { copyText } from "./copy_text.ts";

export interface CopyButtonProps extends Pick<ButtonProps, "kind" | "size"> {
  /** The text to copy; a function where it is long or changes. */
  text: string | (() => string);
  children: string;
  /** The browser refused: the user has to select the text. */
  onRefused?: () => void;
}

const SHOWN_MS = 2_000;

/** Copies a text, and confirms it for two seconds. */
export function CopyButton({ text, children, onRefused, kind, size }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (event: MouseEvent) => {
    const inside = (event.currentTarget as HTMLElement).closest("dialog") ?? document.body;
    const copied = typeof text === "string" ? text : text();
    if (await copyText(copied, inside)) setCopied(true);
    else onRefused?.();
  };
  return (
    <>
      <Button
        kind={kind}
        size={size}
        icon={copied
          ? <Check size={16} aria-hidden="true" />
          : <Copy size={16} aria-hidden="true" />}
        onClick={copy}
      >
        {copied ? "Copied" : children}
      </Button>
      <span class="sr-only" role="status">{copied ? "Copied" : ""}</span>
    </>
  );
}
