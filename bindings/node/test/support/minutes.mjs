// Lines of closed minutes as tests read them.

import { HotPartitionDetector } from 'hotpart';
import { MinuteLines } from 'hotpart/cloudwatch';

/** A detector in which nothing gets hot, and whose clock stands still. */
export const never = (windowSeconds, more = {}) =>
  new HotPartitionDetector({
    writesThreshold: 2 ** 50,
    readsThreshold: 2 ** 50,
    windowSeconds,
    logger: null,
    manualClock: true,
    hashSeed: [0n, 0n],
    ...more,
  });

/** Such a detector, its lines, and what they have written. */
export function watched({ window = 900, detector: more, ...options } = {}) {
  const detector = never(window, more);
  const written = [];
  const write = (line) => written.push(JSON.parse(line));
  const of = (kind) => written.filter((line) => line.hotpart === kind);
  const totals = () => written.filter((line) => '_aws' in line);
  return { detector, lines: new MinuteLines(detector, { write, ...options }), written, of, totals };
}

/** Random numbers from a seed: 0 to 1. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
