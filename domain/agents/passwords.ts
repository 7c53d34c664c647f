import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ParleyError } from "../../protocol/errors.ts";

/** One of the equivalent settings of OWASP's password storage cheat sheet: 32 MB, three passes. */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 2 ** 20 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** N, r, p, salt and key; salt and key in hex. */
const STORED = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$((?:[\da-f]{2})+)\$((?:[\da-f]{2})+)$/i;

/** About how long one takes; a refused request may try again after the queue is done. */
const ONE_TAKES_MS = 500;

export interface PasswordLimits {
  /** scrypt's N of new hashes; default: what is safe today. Tests use less. */
  cost?: number | undefined;
  /** How many are computed at a time. Each takes 32 MB and a thread. */
  atOnce: number;
  /** How many may wait; more are refused. */
  waiting: number;
}

/** Hashes and verifies passwords, a few at a time, because anybody can request it. */
export interface Passwords {
  /** `scrypt$N$r$p$salt$key`, salt and key in hex. @throws {ParleyError} `overloaded`. */
  hash(password: string): Promise<string>;
  /**
   * @param known for a browser or a user that was authenticated before: has a queue of its own, which
   *   is served first, so that strangers cannot fill it.
   * @throws {ParleyError} `overloaded`.
   */
  verify(password: string, stored: string, known?: boolean): Promise<boolean>;
  /** Takes as long as a real check, so that the time does not tell whether an account exists. */
  verifyNothing(password: string): Promise<false>;
}

export function createPasswords(limits: PasswordLimits): Passwords {
  const cost = { ...COST, N: limits.cost ?? COST.N };
  const strangers: (() => void)[] = [];
  const known: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(waiting: (() => void)[], work: () => Promise<T>): Promise<T> {
    if (running < limits.atOnce) running++;
    else {
      if (waiting.length >= limits.waiting) {
        throw new ParleyError(
          "overloaded",
          `Cannot check the password: ${waiting.length} others are waiting already`,
          {
            retryAfter: Math.ceil((limits.waiting + 1) / limits.atOnce) * ONE_TAKES_MS,
            limit: "MAX_PENDING_PASSWORDS",
          },
        );
      }
      // The one that finishes passes its slot on, so `running` does not change.
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = known.shift() ?? strangers.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  return {
    hash: (password) =>
      inTurn(known, async () => {
        const salt = randomBytes(SALT_BYTES);
        const key = await derive(password, salt, cost);
        return ["scrypt", cost.N, cost.r, cost.p, salt.toHex(), key.toHex()].join("$");
      }),

    async verify(password, stored, isKnown = false) {
      const [, n, r, p, salt, key] = STORED.exec(stored) ?? [];
      if (salt === undefined || key === undefined) return false;
      const cost = { N: Number(n), r: Number(r), p: Number(p), maxmem: COST.maxmem };
      const expected = Uint8Array.fromHex(key);
      const actual = await inTurn(
        isKnown ? known : strangers,
        () => derive(password, Uint8Array.fromHex(salt), cost),
      );
      return actual.length === expected.length && timingSafeEqual(actual, expected);
    },

    async verifyNothing(password) {
      await inTurn(strangers, () => derive(password, randomBytes(SALT_BYTES), cost));
      return false;
    },
  };
}

/** For tools that make a few accounts. */
export const FEW_PASSWORDS: Passwords = createPasswords({ atOnce: 2, waiting: 100 });

/** Runs in the runtime's threads, so the event loop is not blocked. */
function derive(password: string, salt: Uint8Array, cost: typeof COST): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, cost, (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key));
    });
  });
}
