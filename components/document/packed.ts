/**
 * Island props as one string. Fresh writes props into an inline script with
 * `String.prototype.replace`, where `$&`, `` $` `` and `$'` in the replacement insert parts of the
 * page: a message with these characters would end its string and run as script. Packed text
 * contains no `$`, so all props with text that people wrote have to be packed.
 */
export type Packed<T> = string & { readonly __packed?: T };

export function pack<T>(value: T): Packed<T> {
  return JSON.stringify(value).replaceAll("$", "\\u0024");
}

export function unpack<T>(packed: Packed<T>): T {
  return JSON.parse(packed) as T;
}
