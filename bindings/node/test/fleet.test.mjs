// Lists of what has the least, for a fleet: the metrics, and what works the least out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetLeast, HotPartitionDetector } from 'hotpart';

const made = (options) =>
  new HotPartitionDetector({ writesThreshold: 1e6, readsThreshold: 1e6, windowSeconds: 60, logger: null, ...options });

/** The partitions of metrics with what they have, and the most that others can have, of writes. */
function listed(text) {
  const demands = text.matchAll(/^hotpart_partition_demand\{.*pk="(.*)",operation="write"} (.*)$/gm);
  const [, most] = /^hotpart_partition_unlisted_most\{operation="write"} (.*)$/m.exec(text);
  return [Object.fromEntries([...demands].map(([, pk, demand]) => [pk, Number(demand)])), Number(most)];
}

test('what has the least is listed, and the most of the others told', () => {
  for (const capacity of [false, true]) {
    const detector = made({ capacity });
    for (const [pk, amount] of Object.entries({ a: 9, b: 5, c: 4, d: 1 })) {
      detector.recordWrite('t', pk, { amount });
    }
    for (const [least, keys, most] of [
      [1, 'abcd', 0],
      [4, 'abc', 1],
      [5, 'ab', 4],
      [9, 'a', 5],
      [10, '', 9],
    ]) {
      const [demands, unlisted] = listed(detector.metrics({ hottest: 1, least, demandOnly: true }));
      assert.deepEqual([Object.keys(demands).join(''), unlisted], [keys, most], `${least}`);
    }
    const [hottest] = listed(detector.metrics({ hottest: 1 }));
    assert.deepEqual(hottest, { a: 9 }, 'without a least the hottest');
  }
});

test('the least of a detector of capacity is in units', () => {
  const detector = made({ capacity: true });
  detector.recordWrite('t', 'a', { amount: 2.5 });
  detector.recordWrite('t', 'b', { amount: 2 });
  assert.deepEqual(listed(detector.metrics({ least: 2.5 })), [{ a: 2.5 }, 2]);
});

test('of a partition the demand alone is written where that is asked', () => {
  const detector = made();
  detector.recordWrite('t', 'k');
  const families = detector.metrics({ demandOnly: true }).match(/(?<=^# TYPE hotpart_partition_).*(?= gauge$)/gm);
  assert.deepEqual(families, ['demand', 'unlisted_most']);
});

test('no more than 990 are listed', () => {
  const detector = made();
  for (let n = 1; n <= 1_500; n++) {
    detector.recordWrite('t', n, { amount: n });
  }
  const [demands, most] = listed(detector.metrics({ hottest: 3, least: 2 }));
  assert.deepEqual([Object.keys(demands).length, most, Math.min(...Object.values(demands))], [990, 510, 511]);
});

test('with a filter the least must be over the level', () => {
  const detector = made({ writesThreshold: 1_000, readsThreshold: 1_000, memory: '1MiB' });
  const message = /^least must be more than the count from which partitions are counted exactly/;
  assert.throws(() => detector.metrics({ least: 250 }), { name: 'RangeError', message });
  detector.metrics({ least: 251 });
});

test('what is wrong with a list is named', () => {
  const detector = made();
  for (const [options, name, message] of [
    [{ least: 0 }, 'RangeError', /^least must be more than 0/],
    [{ least: -1 }, 'RangeError', /^least/],
    [{ least: 1.5 }, 'RangeError', /^least/],
    [{ least: '9' }, 'TypeError', /^least/],
    [{ demandOnly: 1 }, 'TypeError', /^demandOnly/],
  ]) {
    assert.throws(() => detector.metrics(options), { name, message });
  }
});

test('the least of a fleet', () => {
  for (const [least, ...given] of [
    [300, 60_000, 50],
    [150, 60_000, 50, 8],
    [1, 100, 50, 4],
    [1, 0, 1],
    [1, Number.MAX_SAFE_INTEGER, 2 ** 32 - 1, 2 ** 32 - 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1, 1],
  ]) {
    assert.equal(fleetLeast(...given), least);
  }
  assert.throws(() => fleetLeast(-1, 1), { name: 'RangeError', message: /^threshold/ });
  assert.throws(() => fleetLeast(1, 0), { name: 'RangeError', message: /^processes/ });
  assert.throws(() => fleetLeast(1, 1, 0.5), { name: 'RangeError', message: /^precision/ });
});
