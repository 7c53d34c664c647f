import { useEffect, useState } from "preact/hooks";
import { useInbox } from "../inbox/context.ts";

/** `null`: it is not known yet; `false`: the file is gone, or cannot be read now. */
export function useAddress(id: string): { url: string | null | false; renew: () => void } {
  const { files } = useInbox();
  const [url, setUrl] = useState<string | null | false>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isShown = true;
    files.address(id).catch(() => null).then((found) => isShown && setUrl(found ?? false));
    return () => void (isShown = false);
  }, [id, attempt]);
  // Once: its address may be over.
  return { url, renew: () => attempt === 0 ? setAttempt(1) : setUrl(false) };
}
