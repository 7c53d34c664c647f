import { ParleyError } from "../../protocol/errors.ts";

/**
 * The lowest score of zxcvbn that is accepted. Sign-ins are slowed down, and hashes are scrypt, so
 * this needs far more guesses than anybody can try.
 */
const MIN_SCORE = 3;
/** Characters that are checked: the time of the check grows faster than the length. */
const CHECKED_LENGTH = 40;
/** Words that somebody who knows the product guesses first. */
const OWN_WORDS = ["parley", "inbox", "widget", "support", "livechat", "admin", "agent"];

type Check = (password: string, words: string[]) => { score: number; warning: string | null };

let loading: Promise<Check> | undefined;

/** The dictionaries take memory and some tenths of a second, so they are loaded on first use. */
async function load(): Promise<Check> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
    import("@zxcvbn-ts/language-en"),
  ]);
  const factory = new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    maxLength: CHECKED_LENGTH,
  });
  return (password, words) => {
    const { score, feedback } = factory.check(password.slice(0, CHECKED_LENGTH), words);
    return { score, warning: feedback.warning };
  };
}

const REASONS: Record<string, string> = {
  topTen: "it is one of the most common passwords",
  topHundred: "it is one of the most common passwords",
  common: "it is one of the most common passwords",
  similarToCommon: "it is much like a common password",
  userInputs: "it has your name, your e-mail address or this product's in it",
  simpleRepeat: "it repeats itself",
  extendedRepeat: "it repeats itself",
  sequences: "it follows the alphabet or counts",
  straightRow: "it follows the keyboard",
  keyPattern: "it follows the keyboard",
  dates: "dates are guessed early",
  recentYears: "years are guessed early",
  associatedYears: "years are guessed early",
  wordByItself: "it is a single word",
  namesByThemselves: "names are guessed early",
  commonNames: "names are guessed early",
};

/**
 * Refuses a password that is easy to guess: a common one, a pattern of the keyboard, or one that is
 * made of names and addresses of the person.
 *
 * @param about names and addresses of the person.
 * @throws {ParleyError} `invalid`, with a sentence for people.
 */
export async function needStrong(password: string, about: readonly string[]): Promise<void> {
  const check = await (loading ??= load());
  const words = about.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)])
    .filter((word) => word.length > 2);
  const { score, warning } = check(password, [...new Set([...words, ...OWN_WORDS])]);
  if (score >= MIN_SCORE) return;
  const reason = REASONS[warning ?? ""] ?? "it is guessed early";
  const message = `must be harder to guess: ${reason}. A few words that have nothing to do with ` +
    "each other are good";
  throw new ParleyError("invalid", `Cannot take the password: it ${message}`, {
    fields: [{ path: "password", message }],
  });
}
