/** Signing in by a password, and the set-up of the first admin. */
import { ParleyError } from "../../protocol/errors.ts";
import { audit } from "../audit.ts";
import { TokenBucket } from "../rate_limit.ts";
import { isSetupCode } from "./setup_code.ts";
import { nobody, type SignInLifecycle } from "./sign_in_lifecycle.ts";
import type { Peer, SignIn, SignInOptions } from "./sign_in_types.ts";
import { alreadySetUp, countUsers, createFirstAdmin } from "./users.ts";

/** Failures a minute that each get an audit entry; the others are only counted. */
const AUDITED_PER_MINUTE = 120;

/** Whether a text may be an e-mail address. */
const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export function createLogin(
  options: SignInOptions,
  lifecycle: Pick<SignInLifecycle, "start">,
): Pick<SignIn, "login" | "setUp"> {
  const { db, passwords, attempts, devices, metrics, now = Date.now } = options;
  const audited = new TokenBucket(AUDITED_PER_MINUTE, 60_000, now());
  let unlisted = 0;
  /** Once there is a user there always is one, so later requests need no query. */
  let isSetUp = false;

  async function failed(email: string, userId: string | null, from: Peer): Promise<never> {
    metrics.signIns.inc({ outcome: "failed" });
    if (audited.take(now()) > 0) unlisted++;
    else {
      const others = unlisted;
      unlisted = 0;
      await audit(db, nobody(from), {
        action: "sign_in.failed",
        // People sometimes type their password into the field of the address.
        subject: { id: userId, name: ADDRESS.test(email) ? email : null },
        result: "refused",
        data: others > 0 ? { notListed: others } : {},
      });
    }
    throw new ParleyError(
      "invalid_credentials",
      "Cannot sign in: e-mail address or password is wrong",
    );
  }

  return {
    async login({ email, password }, from) {
      const row = await db.selectFrom("users").select(["id", "password_hash", "disabled_at"])
        .where("email", "=", email).executeTakeFirst();
      const device = row === undefined ? null : devices.knownAs(from.device, row.id);
      let matches: boolean;
      let clear: () => void;
      try {
        clear = await attempts.begin({ account: email, address: from.address, device });
      } catch (error) {
        metrics.signIns.inc({ outcome: "refused" });
        throw error;
      }
      try {
        matches = row === undefined
          ? await passwords.verifyNothing(password)
          : await passwords.verify(password, row.password_hash, device !== null);
      } catch (error) {
        // The password was not checked.
        clear();
        metrics.signIns.inc({ outcome: "refused" });
        throw error;
      }
      if (row === undefined || !matches || row.disabled_at !== null) {
        return await failed(email, row?.id ?? null, from);
      }
      const signedIn = await lifecycle.start(row.id, row.password_hash, from);
      if (signedIn === null) return await failed(email, row.id, from);
      clear();
      metrics.signIns.inc({ outcome: "succeeded" });
      return signedIn;
    },

    async setUp(admin, from, code) {
      try {
        if (isSetUp) throw alreadySetUp();
        attempts.take(from.address);
        if (code !== null && !isSetupCode(options.key, code)) {
          // Once it is set up, that is the error, and not a wrong code.
          if (await countUsers(db) > 0) throw alreadySetUp();
          const message = "enter the code that the server printed at its start";
          throw new ParleyError("forbidden", `Cannot set up: ${message}`, {
            fields: [{ path: "code", message }],
          });
        }
        const user = await createFirstAdmin(db, admin, passwords, from);
        isSetUp = true;
        return (await lifecycle.start(user.id, null, from))!;
      } catch (error) {
        if (error instanceof ParleyError && error.code === "already_set_up") isSetUp = true;
        throw error;
      }
    },
  };
}
