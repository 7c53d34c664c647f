import { hueOf, initialsOf } from "../format/avatar.ts";

export type PresenceState = "online" | "away" | "offline";

const WORDS: Record<PresenceState, string> = {
  online: "Online",
  away: "Away",
  offline: "Offline",
};

export interface AvatarProps {
  /** Determines the colour. */
  id: string;
  name: string;
  size?: "s" | "m" | "l";
  shape?: "person" | "team";
  /** Shows a dot with a text for screen readers. Omit it where presence has no meaning. */
  presence?: PresenceState;
}

export function Avatar({ id, name, size, shape, presence }: AvatarProps) {
  return (
    <span class="avatar" data-hue={hueOf(id)} data-size={size} data-shape={shape}>
      <span aria-hidden="true">{initialsOf(name)}</span>
      {presence && presence !== "offline" && <PresenceDot status={presence} />}
    </span>
  );
}

export function PresenceDot({ status }: { status: PresenceState }) {
  return (
    <span class="presence-dot" data-status={status}>
      <span class="sr-only">{WORDS[status]}</span>
    </span>
  );
}

export function presenceWord(status: PresenceState): string {
  return WORDS[status];
}
