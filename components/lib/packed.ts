/**
 * Island props as one string. Fresh writes props into an inline script with
 * `String.prototype.replace`, where `$&`, `` $` `` and `$'` in the replacement mean "insert a part
 * of the page here": a message with these characters would break out of its string and run as
 * script. Packed text holds no `$` at all, so every prop with words that people wrote goes this way.
 */
export type Packed<T> = string & { readonly __packed?: T };

export function pack<T>(value: T): Packed<T> {
  return JSON.stringify(value).replaceAll("$", "\\u0024");
}

export function unpack<T>(packed: Packed<T>): T {
  return JSON.parse(packed) as T;
}
