import { useEffect, useState } from "preact/hooks";
import type { ContactProfile } from "../../protocol/contacts.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";

export interface ProfileState {
  profile: ContactProfile | null;
  problem: string | null;
  reload: () => void;
}

/**
 * What is known about a contact, read again when `version` changes. What was shown stays while it is
 * read, and when it cannot be read again.
 */
export function useProfile(contactId: string, version: unknown, isShown: boolean): ProfileState {
  const { request } = useWorkspace();
  const [state, setState] = useState<Pick<ProfileState, "profile" | "problem">>({
    profile: null,
    problem: null,
  });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!isShown) return;
    const ended = new AbortController();
    request<ContactProfile>(`/api/contacts/${contactId}/profile`, { signal: ended.signal }).then(
      (profile) => setState({ profile, problem: null }),
      (error) => {
        if (!ended.signal.aborted) setState((now) => ({ ...now, problem: errorText(error) }));
      },
    );
    return () => ended.abort();
  }, [contactId, version, isShown, tries]);
  return { ...state, reload: () => setTries((count) => count + 1) };
}
