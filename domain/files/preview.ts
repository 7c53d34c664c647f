/** Words for files where there is no room to show them: in lists and notifications. */
import type { MessageFile } from "../../protocol/model.ts";

/** "" without files. */
export function describeFiles(files: readonly MessageFile[]): string {
  const [first] = files;
  if (first === undefined) return "";
  const kinds = new Set(files.map(kindOf));
  const kind = kinds.size === 1 ? kindOf(first) : "file";
  if (files.length > 1) return `${files.length} ${PLURAL[kind]}`;
  return kind === "file" ? first.name : ONE[kind];
}

type Kind = "photo" | "voice" | "audio" | "video" | "file";

const ONE = { photo: "Photo", voice: "Voice message", audio: "Audio", video: "Video" };
const PLURAL: Record<Kind, string> = {
  photo: "photos",
  voice: "voice messages",
  audio: "audio files",
  video: "videos",
  file: "files",
};

function kindOf({ mediaType, name }: MessageFile): Kind {
  if (mediaType.startsWith("image/") && mediaType !== "image/svg+xml") return "photo";
  if (mediaType.startsWith("video/")) return "video";
  if (!mediaType.startsWith("audio/")) return "file";
  return name.startsWith(VOICE_NAME) ? "voice" : "audio";
}

/** How our clients name what they record. */
const VOICE_NAME = "voice-message";
