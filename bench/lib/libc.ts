/**
 * The few system calls that the load generator needs, without the sockets of the runtime: one epoll
 * for ten thousand connections and one copy per read, so that the generator is not what is
 * measured. Linux with glibc only, on x86-64 and arm64.
 */
const lib = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
});
export const libc = lib.symbols;

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLLIN = 1;

/** struct epoll_event is packed on x86-64 only; in 32-bit words: its size and where the data is. */
export const EVENT_WORDS = Deno.build.arch === "x86_64" ? 3 : 4;
export const EVENT_DATA = Deno.build.arch === "x86_64" ? 1 : 2;

/** A connected TCP socket to 127.0.0.1, or null where nothing listens. Blocks. */
export function tryConnect(port: number): number | null {
  const fd = libc.socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) throw new Error("Cannot make a socket: too many files are open (see ulimit -n)");
  const address = new Uint8Array(16);
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  new DataView(address.buffer).setUint16(2, port);
  address.set([127, 0, 0, 1], 4);
  if (libc.connect(fd, address, address.length) !== 0) {
    libc.close(fd);
    return null;
  }
  const one = new Uint8Array(new Int32Array([1]).buffer);
  libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, one, 4);
  return fd;
}

/** As `tryConnect`, but throws where nothing listens. */
export function connectTo(port: number): number {
  const fd = tryConnect(port);
  if (fd === null) throw new Error(`Cannot connect to 127.0.0.1:${port}`);
  return fd;
}

/** Sends all bytes. Blocks while the peer does not read. Returns false when the peer is gone. */
export function sendAll(fd: number, bytes: Uint8Array<ArrayBuffer>): boolean {
  let sent = 0;
  while (sent < bytes.length) {
    const rest = sent === 0 ? bytes : bytes.subarray(sent);
    const n = Number(libc.send(fd, rest, BigInt(rest.length), MSG_NOSIGNAL));
    if (n <= 0) return false;
    sent += n;
  }
  return true;
}
