import { useState } from "preact/hooks";
import type { Episode } from "../../protocol/contacts.ts";
import { channelWord, STATUS_WORDS } from "../format/names.ts";
import { mediumTime } from "../format/time.ts";
import { useWorkspace } from "../shell/context.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { Time } from "../ui/Time.tsx";
import { EpisodePreview } from "./EpisodePreview.tsx";

const keyOf = ({ conversationId, toSeq }: Episode) => `${conversationId}:${toSeq}`;

/** Earlier conversations. Each opens above the page, so that the thread stays where it is. */
export function EpisodesSection({ episodes, title, onOpen }: {
  episodes: readonly Episode[];
  title: string;
  /** Opens it for good; absent: it is a link. */
  onOpen?: ((episode: Episode) => void) | undefined;
}) {
  const { clock } = useWorkspace();
  const [shown, setShown] = useState<Episode | null>(null);
  if (episodes.length === 0) return null;
  return (
    <section aria-labelledby="context-earlier">
      <h3 id="context-earlier">{title}</h3>
      <ul class="episodes">
        {episodes.map((episode) => (
          <li key={keyOf(episode)}>
            <button type="button" onClick={() => setShown(episode)}>
              <span class="truncate" dir="auto">
                {episode.preview || (episode.contextId ?? "No messages from them")}
              </span>
              <span class="page-path">
                <Time iso={episode.endedAt} clock={clock.value} as={mediumTime} />
                {` · ${STATUS_WORDS[episode.status]} · ${channelWord(episode.platform)} · ${
                  episode.messages === 1 ? "1 message" : `${episode.messages} messages`
                }`}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <Dialog
        open={shown !== null}
        title={shown?.contextId ?? "Earlier conversation"}
        onClose={() => setShown(null)}
        wide
      >
        {shown && (
          <EpisodePreview
            episode={shown}
            onOpen={onOpen && (() => {
              setShown(null);
              onOpen(shown);
            })}
          />
        )}
      </Dialog>
    </section>
  );
}
