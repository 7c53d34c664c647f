/** Such as "1:05". */
export function durationWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const KINDS: Record<string, string> = {
  "application/pdf": "PDF",
  "application/zip": "ZIP archive",
  "application/json": "JSON",
  "application/msword": "Word document",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
  "application/vnd.ms-excel": "Excel sheet",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel sheet",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "Presentation",
  "text/plain": "Text",
  "text/csv": "CSV",
  "text/html": "HTML",
};

/** What a file is, for people. */
export function kindWords(mediaType: string): string {
  const known = KINDS[mediaType];
  if (known !== undefined) return known;
  if (mediaType.startsWith("image/")) return "Picture";
  if (mediaType.startsWith("audio/")) return "Audio";
  if (mediaType.startsWith("video/")) return "Video";
  return "File";
}
