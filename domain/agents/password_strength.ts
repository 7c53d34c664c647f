import { ParleyError } from "../../protocol/errors.ts";

/**
 * So many guesses, as a power of ten, does a password have to withstand. Sign-ins are slowed, and
 * what is stored is scrypt, so this is far more than anybody can try.
 */
const MIN_SCORE = 3;
/** The look takes longer than the length grows: what comes after is not counted. */
const LOOKED_AT = 40;
/** Words that are the first guess of whoever knows the product. */
const OWN_WORDS = ["parley", "inbox", "widget", "support", "livechat", "admin", "agent"];

type Check = (password: string, words: string[]) => { score: number; warning: string | null };

let loading: Promise<Check> | undefined;

/** The dictionaries take memory and some tenths of a second: they come with the first password. */
async function load(): Promise<Check> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
    import("@zxcvbn-ts/language-en"),
  ]);
  const factory = new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    maxLength: LOOKED_AT,
  });
  return (password, words) => {
    const { score, feedback } = factory.check(password.slice(0, LOOKED_AT), words);
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
 * Refuses a password that is guessed early: a common one, one of the keyboard, or one that is made
 * of what everybody knows of the person.
 *
 * @param about names and addresses of whoever it is for.
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
