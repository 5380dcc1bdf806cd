// What a detector judges by: its own thresholds, and those of tables and models.

import { counted, thresholdOf } from './check';
import { hpd, INHERIT, Out, type Pointer } from './library';
import { checked } from './status';

/** Thresholds of a table or a model; `null` is what the next level has. */
export interface Thresholds {
  writes: number | null;
  reads: number | null;
}

type Call = (...given: unknown[]) => number;

export function ownThresholds(detector: Pointer, capacity: boolean): { writes: number; reads: number } {
  const [writes, reads] = [Out.make(), Out.make()];
  checked(hpd.getThresholds(detector, writes.bytes, reads.bytes));
  return { writes: counted(writes.get('value'), capacity), reads: counted(reads.get('value'), capacity) };
}

export function setThresholds(
  set: Call,
  detector: Pointer,
  name: Uint8Array,
  thresholds: Partial<Thresholds>,
  capacity: boolean,
): void {
  const writes = thresholdOf('writes', thresholds.writes, capacity);
  const reads = thresholdOf('reads', thresholds.reads, capacity);
  checked(set(detector, name, name.length, writes, reads));
}

export function getThresholds(get: Call, detector: Pointer, name: Uint8Array, capacity: boolean): Thresholds {
  const [writes, reads] = [Out.make(), Out.make()];
  checked(get(detector, name, name.length, writes.bytes, reads.bytes));
  const threshold = (out: typeof writes) => {
    const value = BigInt.asIntN(64, out.pointer('value'));
    return value === INHERIT ? null : counted(value, capacity);
  };
  return { writes: threshold(writes), reads: threshold(reads) };
}
