/** Sign-ins of a user. */
import { z } from "zod";
import { Id, Timestamp } from "./model.ts";

export const SignInInfo = z.object({
  id: Id,
  /** Of the request that last renewed it. */
  userAgent: z.string().nullable(),
  address: z.string().nullable(),
  createdAt: Timestamp,
  /** Within ACCESS_TOKEN_MS. */
  lastUsedAt: Timestamp,
  /** When it expires, unless it is used before. */
  expiresAt: Timestamp,
  /** Whether the request comes from this sign-in. */
  current: z.boolean(),
});
export type SignInInfo = z.infer<typeof SignInInfo>;

export const SignInList = z.object({ items: z.array(SignInInfo), nextCursor: z.null() });
export type SignInList = z.infer<typeof SignInList>;
export const SignInsEnded = z.object({ ended: z.int() });
