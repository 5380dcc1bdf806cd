// The hottest of one minute that is over, and what all others had.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedError, HotPartitionDetector, HotpartError } from 'hotpart';
import { never } from './support/minutes.mjs';

const numbers = ({ partitions, rest }) => [
  partitions.map(({ pk, count, throttles, demand, peak }) => [pk, count, throttles, demand, peak]),
  rest,
];

test('a minute has its own numbers and no other has them', () => {
  const detector = never(180);
  for (const [second, pk, amount] of [
    [0, 'a', 3],
    [59, 'a', 2],
    [59.5, 'b', 4],
    [59.9, 'c', 1],
    [60, 'a', 50],
  ]) {
    detector.setTime(second);
    detector.recordWrite('t', pk, { amount });
  }
  detector.recordThrottle('t', 'a', 'write');
  detector.recordRead('t', 'a');
  detector.setTime(130);
  const closed = detector.hottestClosed('write', 0, 1);
  assert.deepEqual(numbers(closed), [[['a', 5, 0, 5, 3]], 5]);
  assert.deepEqual([closed.partitions[0].operation, closed.partitions[0].carried], ['write', 0]);
  assert.deepEqual(numbers(detector.hottestClosed('write', 1)), [[['a', 50, 1, 51, 50]], 0]);
  assert.deepEqual(numbers(detector.hottestClosed('read', 1)), [[['a', 1, 0, 1, 1]], 0]);
  assert.deepEqual(numbers(detector.hottestClosed('read', 0)), [[], 0]);
  assert.deepEqual(numbers(detector.hottestClosed('write', 0, 0)), [[], 10]);
});

test('a minute is in units in capacity mode', () => {
  const detector = never(120, { capacity: true });
  for (const [pk, amount] of Object.entries({ a: 2.5, b: 1.5, c: 1 })) detector.recordRead('t', pk, { amount });
  detector.setTime(62);
  assert.deepEqual(numbers(detector.hottestClosed('read', 0, 1)), [[['a', 2.5, 0, 2.5, 2.5]], 2.5]);
});

test('a minute that is not over, or too old, is refused', () => {
  const detector = never(120);
  for (const [now, isThere] of [
    [59, false],
    [60, true],
    [120, true],
    [121, false],
  ]) {
    detector.setTime(now);
    const closed = () => detector.hottestClosed('write', 0);
    if (isThere) assert.deepEqual(closed(), { partitions: [], rest: 0 });
    else assert.throws(closed, /^RangeError: minute must/);
  }
});

test('arguments of a closed minute are checked by name', () => {
  const detector = never(120);
  detector.setTime(61);
  for (const [given, words] of [
    [['delete', 0], /^RangeError: operation must be one of/],
    [[undefined, 0], /^RangeError: operation/],
    [['write', -1], /^RangeError: minute must be an integer from 0/],
    [['write', 0.5], /^RangeError: minute must be an integer/],
    [['write', 2 ** 53], /^RangeError: minute/],
    [['write', Number.MAX_SAFE_INTEGER], /^RangeError: minute must/],
    [['write', '0'], /^TypeError: minute must be a number/],
    [['write', 0, -1], /^RangeError: n must be/],
    [['write', 0, '9'], /^TypeError: n must be/],
  ]) {
    assert.throws(() => detector.hottestClosed(...given), words);
  }
});

test('a closed minute needs a window of two, no filter, and a detector that is open', () => {
  for (const detector of [never(119), never(120, { memory: '1MiB' })]) {
    detector.setTime(61);
    assert.throws(() => detector.hottestClosed('write', 0), HotpartError);
  }
  const detector = never(120);
  detector.close();
  assert.throws(() => detector.hottestClosed('write', 0), ClosedError);
});

test('the preset takes a window that minutes can be closed in', () => {
  const detector = HotPartitionDetector.forDynamoDB({ windowSeconds: 900, manualClock: true, logger: null });
  detector.recordWrite('t', 'k', { amount: 3 });
  detector.setTime(890);
  assert.equal(detector.windowSeconds, 900);
  assert.equal(detector.hottestClosed('write', 0).partitions[0].count, 3);
  assert.equal(HotPartitionDetector.forDynamoDB().windowSeconds, 60);
  for (const [windowSeconds, words] of [
    [4, /^RangeError: windowSeconds must be 5 to 3600.*not 4/],
    [3_601, /^RangeError: windowSeconds must be 1 to 3600, not 3601/],
    ['900', /^TypeError: windowSeconds/],
  ]) {
    assert.throws(() => HotPartitionDetector.forDynamoDB({ windowSeconds }), words);
  }
});
