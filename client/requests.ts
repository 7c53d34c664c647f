import type { ErrorData } from "../protocol/native.ts";
import { ParleyClientError } from "./errors.ts";

type Timer = ReturnType<typeof setTimeout>;

interface Request {
  type: string;
  data: unknown;
  /** Whether the server may have received it. */
  sent: boolean;
  patient: boolean;
  refusals: number;
  timeout?: Timer;
  repeat?: Timer;
  resolve: (value: unknown) => void;
  reject: (error: ParleyClientError) => void;
}

export interface RequestOptions {
  /** Milliseconds to wait for the answer. Default: the client's `ackTimeoutMs`. */
  timeoutMs?: number;
  /**
   * Whether to wait for a connection, and as long as a rate limit asks. Default true. With false it
   * is sent now or rejected with `disconnected` or `rate_limited`.
   */
  patient?: boolean;
}

/** What requests need from the connection. */
export interface RequestPort {
  timeoutMs: number;
  ready(): boolean;
  /** Milliseconds until the server accepts one more of this type, 0 for now. */
  waitMs(type: string): number;
  /** Throws where it can never be sent. */
  transmit(type: string, data: unknown, id: number): void;
}

/** How often one request is repeated after `rate_limited` before it is rejected. */
const MAX_REFUSALS = 3;

/**
 * Commands that wait for their `ack` or `error`. A command that is made without a connection is
 * sent when there is one; a command whose connection ends before the answer is rejected with
 * `disconnected`.
 */
export function createRequests(port: RequestPort) {
  const open = new Map<unknown, Request>();
  let lastId = 0;

  function take(id: unknown): Request | undefined {
    const request = open.get(id);
    open.delete(id);
    clearTimeout(request?.timeout);
    clearTimeout(request?.repeat);
    return request;
  }
  function fail(id: unknown, error: ParleyClientError) {
    take(id)?.reject(error);
  }
  function expire(id: number, request: Request, ms: number) {
    const error = new ParleyClientError(
      "timeout",
      `Cannot complete "${request.type}": no answer in ${ms} ms`,
    );
    clearTimeout(request.timeout);
    request.timeout = setTimeout(fail, ms, id, error);
  }
  function send(id: number, request: Request) {
    if (request.sent || !open.has(id)) return;
    if (!port.ready()) {
      if (request.patient) return;
      return fail(id, new ParleyClientError("disconnected", "Cannot send: there is no connection"));
    }
    const wait = port.waitMs(request.type);
    if (wait > 0) {
      return limited(
        id,
        request,
        new ParleyClientError("rate_limited", "Cannot send so fast", {
          retryAfter: wait,
        }),
      );
    }
    request.sent = true;
    try {
      port.transmit(request.type, request.data, id);
    } catch (error) {
      fail(id, error as ParleyClientError);
    }
  }
  function limited(id: number, request: Request, error: ParleyClientError) {
    if (!request.patient) return fail(id, error);
    const wait = error.retryAfter ?? 1_000;
    request.sent = false;
    expire(id, request, wait + port.timeoutMs);
    clearTimeout(request.repeat);
    request.repeat = setTimeout(send, wait, id, request);
  }

  return {
    make(type: string, data: unknown, options: RequestOptions = {}): Promise<unknown> {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        const patient = options.patient ?? true;
        const request = { type, data, sent: false, patient, refusals: 0, resolve, reject };
        open.set(id, request);
        expire(id, request, options.timeoutMs ?? port.timeoutMs);
        send(id, request);
      });
    },
    answered: (id: unknown, data: unknown) => take(id)?.resolve(data),
    refused(id: unknown, sentence: string, data: ErrorData) {
      const request = open.get(id);
      if (request === undefined) return;
      const error = new ParleyClientError(data.code, sentence, data);
      const again = error.code === "rate_limited" && request.refusals++ < MAX_REFUSALS;
      if (again) limited(id as number, request, error);
      else fail(id, error);
    },
    /** Sends the commands that were made without a connection. */
    flush() {
      for (const [id, request] of open) send(id as number, request);
    },
    /**
     * The connection is lost: rejects the commands that were sent, and with a reason all of them.
     */
    lost(reason?: ParleyClientError) {
      const unknown = "Cannot tell the outcome: the connection was lost";
      const error = reason ?? new ParleyClientError("disconnected", unknown);
      for (const [id, request] of [...open]) if (reason || request.sent) fail(id, error);
    },
  };
}
