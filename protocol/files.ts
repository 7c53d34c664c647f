/** Queries, bodies and responses of the API of files. */
import { z } from "zod";
import { Id, queryInteger, Timestamp } from "./model.ts";

/** A day of sound. */
const MAX_DURATION_MS = 86_400_000;

/** The body is the file itself. */
export const UploadQuery = z.strictObject({
  name: z.string().max(1000).refine((name) => name.trim() !== "", "must not be empty"),
  /** The client's own id of this upload, at most 64 characters. Repeat it to repeat the upload. */
  uploadId: z.string().regex(/^[\x21-\x7e]{1,64}$/, "must be 1 to 64 visible ASCII characters"),
  /** Of a recording. */
  durationMs: queryInteger(0, MAX_DURATION_MS).optional(),
});

export const FileAddressesBody = z.strictObject({ ids: z.array(Id).min(1).max(200) });
export const FileAddress = z.object({
  id: Id,
  /** From the root of this server, with a signature. Needs no other credentials. */
  url: z.string(),
  expiresAt: Timestamp,
});
export type FileAddress = z.infer<typeof FileAddress>;
/** Only of files that the caller may see. */
export const FileAddresses = z.object({ items: z.array(FileAddress) });
export type FileAddresses = z.infer<typeof FileAddresses>;
