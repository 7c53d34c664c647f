const NOTHING = new Uint8Array(0);

/** Reads a stream of bytes by numbers of bytes, without holding more of it than was asked for. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = NOTHING;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, which remain to be read; fewer only at the end. */
  async peek(count: number): Promise<Uint8Array> {
    if (this.#buffer.length < count) {
      const parts = [this.#buffer];
      let length = this.#buffer.length;
      while (length < count) {
        const { done, value } = await this.#source.next();
        if (done) break;
        parts.push(value);
        length += value.length;
      }
      this.#buffer = join(parts, length);
    }
    return this.#buffer.subarray(0, count);
  }

  /** The next bytes; fewer only at the end. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#buffer = this.#buffer.subarray(bytes.length);
    return bytes;
  }

  /** Whatever is there, at most `count`; null at the end. */
  async some(count = Infinity): Promise<Uint8Array | null> {
    if (this.#buffer.length === 0 && (await this.peek(1)).length === 0) return null;
    const bytes = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(bytes.length);
    return bytes;
  }

  /** Puts bytes back to the front. */
  unread(bytes: Uint8Array): void {
    this.#buffer = join([bytes, this.#buffer], bytes.length + this.#buffer.length);
  }

  /** The next bytes as they come; fewer only at the end. */
  async *pass(count = Infinity): AsyncGenerator<Uint8Array> {
    while (count > 0) {
      const bytes = await this.some(count);
      if (bytes === null) return;
      count -= bytes.length;
      yield bytes;
    }
  }

  async skip(count = Infinity): Promise<void> {
    for await (const _ of this.pass(count));
  }
}

function join(parts: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
