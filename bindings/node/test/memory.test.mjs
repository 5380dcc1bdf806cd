// Memory that stays fixed: the option, and what it makes of counts and warnings.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { ClosedError, HotPartitionDetector } from 'hotpart';
import { log } from './support/clients.mjs';

const inner = createRequire(import.meta.url);
const { hpd, HotPartition, Options, Out, Statistics, Warning } = inner('../dist/library.js');
const { checked } = inner('../dist/status.js');
const { Bytes } = inner('../dist/struct.js');

const own = (more = {}) =>
  new HotPartitionDetector({ writesThreshold: 1, readsThreshold: 1, windowSeconds: 60, logger: null, ...more });
/** Both ways to make a detector. */
const MAKE = [own, (more) => HotPartitionDetector.forDynamoDB(more)];
const manual = (more) => own({ manualClock: true, hashSeed: [0n, 0n], ...more });

/** The library's struct in the bytes that a call is given. */
const struct = (kind, bytes) => new Bytes(bytes, kind.places);

/** The options that the library gets, of a detector and of the preset alike. */
function passedOn(t, options) {
  const seen = [];
  const { mock } = t.mock.method(hpd, 'newWithOptions', (bytes) => {
    const native = struct(Options, bytes);
    seen.push([native.get('filter_bytes'), native.get('promote_permille')]);
    return -4;
  });
  for (const make of MAKE) assert.throws(() => make(options), /memory/);
  mock.restore();
  assert.deepEqual(seen[0], seen[1]);
  return seen[0];
}

test('memory is bytes or a text of them', (t) => {
  const given = [
    [65_536, 65_536],
    [2 ** 40, 2 ** 40],
    ['64KiB', 2 ** 16],
    ['512 KiB', 2 ** 19],
    ['8MiB', 2 ** 23],
    ['8  mib', 2 ** 23],
    ['1GiB', 2 ** 30],
    ['1024gib', 2 ** 40],
    ['0100MIB', 100 * 2 ** 20],
  ];
  for (const [memory, bytes] of given) assert.deepEqual(passedOn(t, { memory }), [bytes, 0], String(memory));
  assert.deepEqual(passedOn(t, {}), [0, 0]);
  assert.deepEqual(passedOn(t, { memory: undefined, promoteShare: undefined }), [0, 0]);
});

test('a share for promotion is passed on', (t) => {
  for (const [promoteShare, permille] of [
    [0.25, 250],
    [0.01, 10],
    [0.5, 500],
    [0.0126, 13],
  ]) {
    assert.deepEqual(passedOn(t, { memory: '1MiB', promoteShare }), [2 ** 20, permille]);
  }
});

test('memory that makes no sense is refused', () => {
  const range = /^memory must be 65536 to 1099511627776 bytes, not /;
  const text = /^memory must be bytes, or a text such as "512KiB", "8MiB" or "1GiB", not "/;
  // Also a digit that is none of ASCII's, and the sign for kelvin, whose small letter is k.
  const noTexts = ['', 'MiB', '8', '8MB', '8M', '8MiB ', '-8MiB', '1.5MiB', '8\tMiB', '٨MiB', '8MiB\n', '8\u212aiB'];
  const refused = [
    ...[0, -1, 65_535, 65_536.5, 2 ** 40 + 1, NaN, Infinity].map((memory) => [memory, RangeError, range]),
    ...['63KiB', '1025GiB', '0MiB', `${'9'.repeat(15)}GiB`].map((memory) => [memory, RangeError, range]),
    ...noTexts.map((memory) => [memory, RangeError, text]),
    ...[true, null, 65_536n, ['8MiB']].map((memory) => [
      memory,
      TypeError,
      /^memory must be a number or a string, not /,
    ]),
  ];
  for (const [memory, type, message] of refused) {
    for (const make of MAKE) {
      assert.throws(
        () => make({ memory }),
        (error) => error instanceof type && message.test(error.message),
        String(memory),
      );
    }
  }
});

test('a share for promotion that makes no sense is refused', () => {
  for (const promoteShare of [0, 0.009, 0.501, NaN, 250]) {
    assert.throws(() => own({ memory: '1MiB', promoteShare }), /^RangeError: promoteShare must be 0.01 to 0.5, not /);
  }
  assert.throws(() => own({ memory: '1MiB', promoteShare: '0.25' }), /^TypeError: promoteShare must be a number/);
});

test('memory and maxPartitions exclude each other', () => {
  for (const make of MAKE) {
    assert.throws(
      () => make({ memory: '1MiB', maxPartitions: 9 }),
      /^RangeError: memory must not be given with maxPart/,
    );
  }
});

test('what the library refuses of memory is called so', () => {
  const options = Options.make();
  hpd.optionsInit(options.bytes, Options.size);
  for (const name of ['writes_threshold', 'reads_threshold', 'window_seconds']) options.set(name, 60);
  const refuse = (given) => checked(hpd.newWithOptions(options.bytes, Buffer.alloc(8)), given);
  options.set('filter_bytes', 5);
  assert.throws(() => refuse({ memory: '5B' }), /^RangeError: memory must be .*, not 5B$/);
  options.set('filter_bytes', 0).set('promote_permille', 501);
  assert.throws(() => refuse({}), /^RangeError: promoteShare must be /);
});

test('a count is within its bounds', () => {
  for (const [memory, capacity] of [undefined, '1MiB'].flatMap((each) => [false, true].map((units) => [each, units]))) {
    const detector = manual({ writesThreshold: 100, readsThreshold: 100, memory, capacity });
    assert.deepEqual(detector.bounds('t', 'k', 'write'), { least: 0, most: 0 });
    for (const amount of capacity ? [1, 30, 0.5, 12.5, 70] : [1, 30, 2, 70]) {
      detector.recordWrite('t', 'k', { amount });
      const [count, { least, most }] = [
        detector.getWriteCount('t', 'k'),
        detector.bounds('t', Buffer.from('k'), 'write'),
      ];
      assert.ok(0 <= least && least <= count && count <= most, `${least} ${count} ${most}`);
      if (memory === undefined) assert.equal(least, most);
    }
    assert.deepEqual([detector.getReadCount('t', 'k'), detector.bounds('t', 'k', 'read').most], [0, 0]);
  }
});

test('bounds are told apart', (t) => {
  t.mock.method(hpd, 'getBounds', (...given) => {
    const [least, most] = given.slice(-2);
    struct(Out, least).set('value', 3);
    struct(Out, most).set('value', 7);
    return 0;
  });
  assert.deepEqual(own().bounds('t', 'k', 'write'), { least: 3, most: 7 });
  assert.deepEqual(own({ capacity: true }).bounds('t', 'k', 'write'), { least: 1.5, most: 3.5 });
});

test('bounds refuse what counts refuse', () => {
  const detector = own();
  assert.throws(() => detector.bounds('', 'k', 'read'), /^RangeError: table must have 1 to 1024 bytes/);
  assert.throws(() => detector.bounds('t', 'k'.repeat(16_385), 'read'), /^RangeError: pk/);
  assert.throws(() => detector.bounds('t', 'k', 'scan'), /^RangeError: operation must be one of/);
  assert.throws(() => detector.bounds('t', 'k'), /^RangeError: operation must be one of/);
  detector.close();
  assert.throws(() => detector.bounds('t', 'k', 'read'), ClosedError);
});

test('a line says what a count is at least, and is as ever where it is exact', (t) => {
  const warned = (capacity, carried, amount) => {
    const real = hpd.warningsGet;
    const { mock } = t.mock.method(hpd, 'warningsGet', (warnings, i, bytes) => {
      const status = real(warnings, i, bytes);
      struct(Warning, bytes).set('carried', carried);
      return status;
    });
    const [logger, seen] = [log(), []];
    own({ capacity, logger, onWarning: (warning) => seen.push(warning) }).recordWrite('events', 'EVENTS', { amount });
    mock.restore();
    assert.deepEqual(logger.lines, [seen[0].line]);
    return [seen[0].line, seen[0].count, seen[0].carried];
  };
  const line = 'Hot partition detected - table="events" pk="EVENTS" had';
  assert.deepEqual(warned(false, 120, 500), [`${line} at least 380 of 500 writes in 60s`, 500, 120]);
  assert.deepEqual(warned(true, 121, 250), [`${line} at least 189.5 of 250 writes in 60s`, 250, 60.5]);
  assert.deepEqual(warned(false, 0, 500), [`${line} 500 writes in 60s`, 500, 0]);
});

test('the hottest tell what is carried, and statistics the load as a ratio', (t) => {
  const [get, statistics] = [hpd.hottestGet, hpd.getStatistics];
  const detectors = [false, true].map((capacity) => own({ capacity, writesThreshold: 100 }));
  for (const detector of detectors) {
    detector.recordWrite('t', 'k', { amount: 9 });
    assert.equal(detector.hottest(1)[0].carried, 0);
    const { promoted, demoted, keptOut, filterLoad } = detector.stats();
    assert.deepEqual([promoted, demoted, keptOut, filterLoad], [0, 0, 0, 0]);
  }
  t.mock.method(hpd, 'hottestGet', (snapshot, i, bytes) => {
    const status = get(snapshot, i, bytes);
    struct(HotPartition, bytes).set('carried', 5);
    return status;
  });
  t.mock.method(hpd, 'getStatistics', (detector, bytes) => {
    const status = statistics(detector, bytes);
    const native = struct(Statistics, bytes);
    native.set('promoted', 7).set('demoted', 6).set('kept_out', 3).set('filter_load_permille', 125);
    return status;
  });
  assert.deepEqual(
    detectors.map((detector) => detector.hottest(1)[0].carried),
    [5, 2.5],
  );
  const { promoted, demoted, keptOut, filterLoad } = detectors[0].stats();
  assert.deepEqual([promoted, demoted, keptOut, filterLoad], [7, 6, 3, 0.125]);
});

test('a hot key among 200,000 is warned of, and memory stays', () => {
  const seen = [];
  const detector = manual({
    writesThreshold: 5_000,
    readsThreshold: 5_000,
    memory: '64KiB',
    onWarning: (warning) => seen.push(warning),
  });
  let [exact, at] = [0, 0];
  for (let n = 0; n < 200_000; n++) {
    detector.recordWrite('t', n);
    if (n % 40 === 0) {
      exact += 1;
      assert.ok(detector.recordWrite('t', 'hot') >= exact);
      if (seen.length > 0 && at === 0) at = exact;
    }
  }
  assert.deepEqual([...new Set(seen.map(({ pk }) => pk))], ['hot']);
  // It is warned of a quarter of the threshold too soon at most, and never late.
  assert.ok(5_000 - 1_250 < at && at <= 5_000, String(at));
  const { count, carried, threshold, line } = seen[0];
  assert.ok(threshold <= count && 0 <= carried && carried < 1_250);
  assert.ok(count - carried <= at && at <= count);
  assert.equal(line.includes('at least'), carried > 0);
  const { least, most } = detector.bounds('t', 'hot', 'write');
  assert.ok(least <= 5_000 && 5_000 <= most);
  const [hottest] = detector.hottest(1, 'write');
  assert.ok(hottest.pk === 'hot' && hottest.count - hottest.carried <= 5_000 && 5_000 <= hottest.count);
  const stats = detector.stats();
  assert.ok(stats.bytes <= 65_536, String(stats.bytes));
  assert.ok(stats.promoted >= 1 && stats.filterLoad > 0 && stats.partitions < 2_000);
});

test('a key in the filter is at least nothing, and at most its cells', () => {
  const detector = manual({ writesThreshold: 5_000, readsThreshold: 5_000, memory: '64KiB' });
  for (let n = 0; n < 20_000; n++) detector.recordWrite('t', n);
  for (let n = 0; n < 20_000; n++) {
    const { least, most } = detector.bounds('t', n, 'write');
    assert.ok(least <= 1 && 1 <= most && detector.getWriteCount('t', n) === most);
  }
});

/** Writes of so many keys; a hundred thousand are too many for 64 KiB. */
function strangers(detector, n = 100_000, first = 0) {
  for (let pk = first; pk < first + n; pk++) detector.recordWrite('t', pk);
}
const small = (more) => manual({ writesThreshold: 100, readsThreshold: 100, memory: '64KiB', ...more });
const NOTICE =
  /^Hot partition memory is too small - 65536 bytes, load \d+\.\d{3} \(at most 0\.400\), [1-9]\d* records kept out$/;
const notices = (lines) => lines.filter((line) => !line.startsWith('Hot partition detected'));

test('a memory that is too small is noticed once an interval', () => {
  const logger = log();
  const detector = small({ logger });
  for (const [now, n] of [
    [0, 100_000],
    [30, 500],
    [59.9, 500],
    [60, 500],
    [200, 100_000],
    [230, 500],
  ]) {
    detector.setTime(now);
    // Other keys each time: those that were warned of are not again.
    strangers(detector, n, Math.round(now * 100_000));
    const lines = logger.lines.splice(0);
    assert.ok(lines.length > 0, `${now}`);
    const noticed = notices(lines);
    assert.equal(noticed.length, [0, 60, 200].includes(now) ? 1 : 0, `${now}`);
    for (const line of noticed) assert.match(line, NOTICE);
  }
});

for (const ask of ['stats', 'metrics']) {
  test(`a notice comes without a warning when ${ask} are asked for`, () => {
    const logger = log();
    const detector = small({ writesThreshold: 400, logger });
    // None of them is hot yet, but the cells are fuller than they may be.
    strangers(detector, 50_000);
    assert.deepEqual(logger.lines, []);
    detector[ask]();
    const lines = logger.lines.splice(0);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /^Hot partition memory is too small - 65536 bytes, load /);
    for (const now of [3, 30, 59]) {
      detector.setTime(now);
      detector[ask]();
      assert.deepEqual(logger.lines, [], `${now}`);
    }
  });
}

test('a notice comes after the warning, and is a warning to the logger', () => {
  const order = [];
  const logger = { warn: (line) => order.push(line.slice(0, 20)), error: assert.fail };
  strangers(small({ logger, onWarning: () => order.push(0) }));
  const [warned, noticed] = ['Hot partition detect', 'Hot partition memory'];
  assert.deepEqual(order.slice(0, 4), [warned, 0, noticed, warned]);
  assert.equal(order.indexOf(noticed), order.lastIndexOf(noticed));
});

test('without memory no notice is asked for', (t) => {
  const { mock } = t.mock.method(hpd, 'noticeTake');
  const logger = log();
  strangers(manual({ logger }), 1_000);
  assert.deepEqual([mock.callCount(), logger.lines.length, notices(logger.lines)], [0, 1_000, []]);
  strangers(small({ logger }));
  assert.ok(mock.callCount() > 0);
});

test('who logs nothing takes no notice', () => {
  let warnings = 0;
  const detector = small({ onWarning: () => warnings++ });
  strangers(detector);
  assert.ok(warnings > 0);
  const logger = log();
  const attached = HotPartitionDetector.attach(detector.share(), { logger });
  strangers(attached, 500, 100_000);
  assert.equal(notices(logger.lines).length, 1, 'it is still to be had, by who shares the detector');
  attached.close();
});

test('a detector that is closed by who is warned is not asked', (t) => {
  const { mock } = t.mock.method(hpd, 'noticeTake', () => 0);
  for (const close of ['onWarning', 'warn']) {
    const logger = log();
    const detector = small({ writesThreshold: 1, logger, onWarning: () => close === 'onWarning' && detector.close() });
    if (close === 'warn') logger.warn = () => detector.close();
    assert.equal(detector.recordWrite('t', 'k'), 1);
    assert.ok(detector.closed);
  }
  assert.equal(mock.callCount(), 0);
});

test('a notice that cannot be logged hurts nobody', (t) => {
  const told = t.mock.method(console, 'error', () => {});
  const logger = {
    warn(line) {
      if (line.includes('memory')) throw new Error('disk full');
    },
  };
  const detector = small({ logger });
  strangers(detector);
  assert.equal(detector.stats().records, 100_000);
  assert.deepEqual(
    told.mock.calls.map(({ arguments: [line] }) => line.split('\n')[0]),
    ['hotpart: the notice could not be logged: Error: disk full'],
  );
});

test('a filter has metrics of its own', () => {
  const families = ['filter_load_ratio', 'partitions_promoted_total', 'partitions_demoted_total', 'kept_out_total'];
  for (const memory of ['64KiB', undefined]) {
    const detector = small({ memory });
    detector.recordWrite('t', 'k', { amount: 40 });
    const text = detector.metrics();
    for (const family of [...families, 'partition_carried']) {
      assert.equal(text.includes(`# TYPE hotpart_${family} `), memory !== undefined, family);
    }
    assert.equal(text.includes('\nhotpart_partitions_promoted_total 1\n'), memory !== undefined);
  }
});
