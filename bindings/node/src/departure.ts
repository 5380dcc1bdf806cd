// Whether an attempt that got no answer can have left this machine: one that can't has not run, and
// is not counted.
//
// Three things tell. Node says which requests its own client hands to a socket, and the socket
// whether it was connected. Of a handler that Node has not told of yet it is seen whether it took
// the request's body. And an error may name the call that failed.

import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Request } from './answer';

// The SDK marks each call with it; a call has one attempt at a time.
const INVOCATION = 'amz-sdk-invocation-id';
// Calls of the system by which a connection is made. Nothing is written before they succeed.
const CONNECTING = /^(connect|getaddrinfo|query[A-Z]\w*)$/;
const CODES = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
// In the SDK's own words, of its option `connectionTimeout`.
const CONNECT_TIMEOUT = /without establishing a connection|did not establish a connection/;
// How deep errors in errors are looked at.
const DEPTH_MAX = 5;

const underWay = new Map<string, Departure>();
// Handlers that are known to go by Node's own client: what they never hand to a socket has not
// left.
const nodes = new WeakSet<object>();
let subscribed = false;

/** One attempt, from before it is handed on until it is over. */
export class Departure {
  readonly #call: string | undefined;
  readonly #isNodes: boolean;
  #body: unknown;
  #taken = true;
  /** Whether its connection stood when it was handed on or since; nothing, if Node did not tell. */
  #connected: boolean | undefined;

  constructor(
    private readonly request: Request,
    private readonly handler: object | undefined,
  ) {
    subscribeOnce();
    this.#call = request.headers[INVOCATION];
    if (this.#call !== undefined) {
      underWay.set(this.#call, this);
    }
    this.#isNodes = handler !== undefined && this.#call !== undefined && nodes.has(handler);
    if (!this.#isNodes) {
      this.#body = request.body;
      const own = { configurable: true, enumerable: true };
      const set = (body: unknown) => (this.#body = body);
      this.#taken = !Reflect.defineProperty(request, 'body', { ...own, get: () => this.#take(), set });
    }
  }

  #take(): unknown {
    this.#taken = true;
    return this.#body;
  }

  /** The attempt is over: the request gets back what was changed in it. */
  over(): void {
    if (this.#call !== undefined && underWay.get(this.#call) === this) {
      underWay.delete(this.#call);
    }
    if (!this.#isNodes) {
      const own = { configurable: true, enumerable: true, writable: true };
      Reflect.defineProperty(this.request, 'body', { ...own, value: this.#body });
    }
  }

  /** Whether an attempt that failed so may have run. */
  mayHaveRun(error: unknown): boolean {
    return this.#connected ?? (!this.#isNodes && this.#taken && !failedToConnect(error, DEPTH_MAX));
  }

  /** Node hands the request to a socket, which may have to connect yet. */
  started({ socket }: ClientRequest): void {
    if (this.handler !== undefined) {
      nodes.add(this.handler);
    }
    const secure = (socket as TLSSocket | null)?.encrypted === true;
    // It ends the handshake; only then we write.
    const shaking = secure && (socket as TLSSocket).getPeerFinished() === undefined;
    this.#connected = socket !== null && !socket.connecting && !shaking;
    if (!this.#connected) {
      socket?.once(secure ? 'secureConnect' : 'connect', () => (this.#connected = true));
    }
  }
}

function subscribeOnce(): void {
  if (!subscribed) {
    subscribed = true;
    subscribe('http.client.request.start', (message) => {
      const { request } = message as { request: ClientRequest };
      const call = underWay.size > 0 ? request.getHeader(INVOCATION) : undefined;
      underWay.get(String(call))?.started(request);
    });
  }
}

function failedToConnect(error: unknown, depth: number): boolean {
  const { syscall, code, name, message, cause, errors } = (error ?? {}) as Record<string, unknown>;
  if (Array.isArray(errors) && errors.length > 0) {
    // An address each; a connection that stood would have been none of them.
    return depth > 0 && errors.every((one) => failedToConnect(one, depth - 1));
  }
  return (
    CODES.has(String(code)) ||
    CONNECTING.test(String(syscall)) ||
    (name === 'TimeoutError' && CONNECT_TIMEOUT.test(String(message))) ||
    (depth > 0 && cause !== undefined && failedToConnect(cause, depth - 1))
  );
}
