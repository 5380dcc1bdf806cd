// The thresholds that a detector judges by: its own, and those of tables and models.

import { counted, objectOf, thresholdOf } from './check';
import { hpd, INHERIT, type Native, Out, type Pointer } from './library';
import { checked } from './status';

/** A table's or a model's thresholds of the window; `null`: the next level's, a model's table's, a table's detector's. */
export interface Thresholds {
  /** The count of writes from which a partition is hot. */
  writes: number | null;
  /** The same for reads. */
  reads: number | null;
}

export function ownThresholds(detector: Pointer, capacity: boolean): { writes: number; reads: number } {
  const [writes, reads] = [Out.make(), Out.make()];
  checked(hpd.getThresholds(detector, writes.bytes, reads.bytes));
  return { writes: counted(writes.get('value'), capacity), reads: counted(reads.get('value'), capacity) };
}

/** Thresholds as the library takes them. */
export function thresholdsOf(thresholds: Partial<Thresholds>, capacity: boolean): [writes: number, reads: number] {
  const { writes, reads } = objectOf('thresholds', thresholds, ['writes', 'reads']);
  return [thresholdOf('writes', writes, capacity), thresholdOf('reads', reads, capacity)];
}

export function getThresholds(get: Native, detector: Pointer, name: Uint8Array, capacity: boolean): Thresholds {
  const [writes, reads] = [Out.make(), Out.make()];
  checked(get(detector, name, name.length, writes.bytes, reads.bytes));
  const threshold = (out: typeof writes) => {
    const value = BigInt.asIntN(64, out.pointer('value'));
    return value === BigInt(INHERIT) ? null : counted(value, capacity);
  };
  return { writes: threshold(writes), reads: threshold(reads) };
}
