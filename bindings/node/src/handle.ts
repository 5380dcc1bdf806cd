// Who holds the library's detector: any number of threads of this process, each by a handle of its own. The last one frees it.

import { Clock } from './clock';
import { ClosedError } from './errors';
import { hpd, type Pointer } from './library';

/**
 * A detector that another thread of this process may hold too; it can be posted to a worker. Nothing in it may be changed.
 */
export interface SharedDetector {
  readonly address: bigint;
  /** How many handles there are. */
  readonly handles: SharedArrayBuffer;
  readonly capacity: boolean;
  readonly windowSeconds: number;
  /** Whether every hot record warns. */
  readonly always: boolean;
  /** Whether its memory stays fixed. */
  readonly bounded: boolean;
  /** Where its clock starts, on the system's; null: it is manual. */
  readonly start: number | null;
}

export class Handle {
  /** Prepared tables. */
  readonly tables = new Map<string, Pointer>();
  readonly clock: Clock;
  #closed = false;

  private constructor(readonly shared: SharedDetector) {
    this.clock = new Clock(shared.start);
  }

  /** The first one of a detector that was just made. */
  static first(address: Pointer, facts: Omit<SharedDetector, 'address' | 'handles'>): Handle {
    const handles = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(handles)[0] = 1;
    return new Handle(Object.freeze({ address, handles, ...facts }));
  }

  /** One more of a detector that others hold; they may have freed it. */
  static attach(shared: SharedDetector): Handle {
    const { address, handles: buffer } = shared ?? {};
    if (typeof address !== 'bigint' || !(buffer instanceof SharedArrayBuffer) || buffer.byteLength !== 4) {
      throw new TypeError('shared must be what share() gave');
    }
    const handles = new Int32Array(buffer);
    for (let n = Atomics.load(handles, 0); n > 0; n = Atomics.load(handles, 0)) {
      if (Atomics.compareExchange(handles, 0, n, n + 1) === n) {
        return new Handle(Object.freeze({ ...shared }));
      }
    }
    throw new ClosedError();
  }

  /** Whether it was closed: then the detector may have been freed. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    for (const table of this.tables.values()) {
      hpd.tableClose(table);
    }
    this.tables.clear();
    if (Atomics.sub(new Int32Array(this.shared.handles), 0, 1) === 1) {
      hpd.free(this.shared.address);
    }
  }
}

/** Frees what is dropped without being closed. */
export const dropped = new FinalizationRegistry<Handle>((handle) => handle.close());
