import { DatabaseUnavailable } from "./database_error.ts";

/** Why a database could not be opened or queried, and whether waiting can help. */
export interface DatabaseFailure {
  /** True: it may succeed later without a change of settings. */
  heals: boolean;
  /** A part of a sentence without host, user or password, which anybody may read. */
  words: string;
  /** The message of the database or the network, for the operator's log. */
  reason: string;
}

/** By the code of the network or the runtime. */
const NETWORK: Record<string, string> = {
  ECONNREFUSED: "the connection is refused",
  ECONNRESET: "the connection was reset",
  ECONNABORTED: "the connection was aborted",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "the host cannot be reached",
  EHOSTDOWN: "the host is down",
  ENETUNREACH: "the network cannot be reached",
  ENETDOWN: "the network is down",
  ENOTFOUND: "the host's name is not known",
  EAI_AGAIN: "the host's name cannot be looked up at the moment",
  EMFILE: "this process has too many open files",
  ENFILE: "this machine has too many open files",
};

/** By SQLSTATE, whole or its class. */
const HEALS: Record<string, string> = {
  "08": "the connection failed",
  "53": "the server lacks resources",
  "53100": "the server's disk is full",
  "53300": "the server has too many connections",
  "57P01": "the server is shutting down",
  "57P02": "the server is restarting after a crash",
  "57P03": "the server is starting up",
  "57014": "the server took too long",
  "55P03": "a lock was not given in time",
  "40001": "another transaction was in the way",
  "40P01": "another transaction was in the way",
  "25006": "the server takes no writes",
};

const FATAL: Record<string, string> = {
  "28P01": "the password is refused",
  "28000": "the server does not let this user in",
  "3D000": "the database does not exist",
  "42501": "the user lacks the rights",
  "08P01": "the server speaks another protocol",
};

/** Errors of the client without a code, by their message. */
const BY_MESSAGE: [RegExp, boolean, string][] = [
  [/timeout|timed out/i, true, "there is no answer in time"],
  [/terminated|socket hang up|connection closed/i, true, "the connection was closed"],
  [/failed to lookup address|name resolution/i, true, NETWORK["EAI_AGAIN"]!],
  [/does not support SSL/i, false, "the server does not speak TLS"],
  [/certificate|UnknownIssuer|\b(?:TLS|SSL)\b/i, false, "the server's TLS certificate is refused"],
];

/** @param error what a driver, the network or the server threw */
export function databaseFailure(error: unknown): DatabaseFailure {
  if (error instanceof DatabaseUnavailable && error.cause instanceof Error) {
    return databaseFailure(error.cause);
  }
  // A name with several addresses fails once for each.
  if (error instanceof AggregateError && error.errors.length > 0) {
    const failures = error.errors.map(databaseFailure);
    return failures.find(({ heals }) => !heals) ?? failures[0]!;
  }
  const { code, syscall, message } = (error ?? {}) as {
    code?: unknown;
    syscall?: unknown;
    message?: unknown;
  };
  const reason = typeof message === "string" && message !== "" ? message : String(error);
  if (typeof code === "string") {
    const network = NETWORK[code];
    if (network !== undefined) return { heals: true, words: network, reason };
    // The socket file of a server on this machine, which creates it when it starts.
    if (code === "ENOENT" && syscall === "connect") {
      return { heals: true, words: NETWORK["ECONNREFUSED"]!, reason };
    }
    const fatal = FATAL[code];
    if (fatal !== undefined) return { heals: false, words: fatal, reason };
    const heals = HEALS[code] ?? HEALS[code.slice(0, 2)];
    if (heals !== undefined && code.length === 5) return { heals: true, words: heals, reason };
  }
  for (const [name, words] of Object.entries(NETWORK)) {
    if (reason.includes(name)) return { heals: true, words, reason };
  }
  for (const [pattern, heals, words] of BY_MESSAGE) {
    if (pattern.test(reason)) return { heals, words, reason };
  }
  return { heals: false, words: "an error that is in the log", reason };
}

/** "host:port" of a connection string, or the folder of its socket: never user or password. */
export function databaseAddress(url: string): string {
  const { hostname, port, searchParams } = new URL(url);
  const host = searchParams.get("host") ?? decodeURIComponent(hostname);
  if (host.startsWith("/")) return host;
  return `${host === "" ? "localhost" : host}:${port || searchParams.get("port") || "5432"}`;
}
