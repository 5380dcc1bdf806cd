// The detector: keys, arguments, thresholds, and its life.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { ClosedError, HotPartitionDetector, libraryVersion, MissingSchemaError } from 'hotpart';
import { never } from './support/clients.mjs';

const own = (more = {}) =>
  new HotPartitionDetector({ writesThreshold: 9, readsThreshold: 9, windowSeconds: 60, logger: null, ...more });

test('the readme says how to begin', () => {
  const detector = new HotPartitionDetector({ writesThreshold: 500, readsThreshold: 1_500, windowSeconds: 60 });
  assert.equal(detector.recordWrite('events', 'EVENTS'), 1);
  assert.equal(detector.recordWrite('events', 'EVENTS'), 2);
  assert.equal(detector.recordRead('events', 'EVENTS'), 1);
  assert.equal(detector.getWriteCount('events', 'EVENTS'), 2);
  assert.deepEqual([detector.windowSeconds, detector.capacity, detector.closed], [60, false, false]);
  assert.deepEqual(detector.thresholds, { writes: 500, reads: 1_500 });
  detector.close();
});

test('CommonJS and modules have the same classes', () => {
  assert.equal(createRequire(import.meta.url)('hotpart').HotPartitionDetector, HotPartitionDetector);
  assert.equal(libraryVersion(), createRequire(import.meta.url)('../package.json').version);
});

test('a key is one, however it is written', () => {
  const detector = own();
  const counts = [
    [12, 12n, '12', Buffer.from('12'), new Uint8Array([0x31, 0x32])],
    [-0, 0, 0n, '0'],
    [-7, '-7'],
    ['é', Buffer.from('é')],
    ['a\0b', Buffer.from('a\0b')],
    ['a'],
    ['', new Uint8Array()],
    [2 ** 53 - 1, 9007199254740991n],
    [10n ** 37n, `1${'0'.repeat(37)}`],
  ].map((keys) => keys.map((pk) => detector.recordWrite('t', pk)));
  for (const each of counts)
    assert.deepEqual(
      each,
      each.map((_, i) => i + 1),
    );
  // A second time by the prepared table.
  assert.equal(detector.recordWrite('t', 'a\0b'), 3);
  assert.equal(detector.recordWrite(Buffer.from('t'), 'a'), 2);
  // Long strings and short, in place of one another.
  for (let n = 1; n <= 8; n++) assert.equal(detector.recordRead('t', 'x'.repeat(16_384)), n);
});

test('what is wrong with an argument is said by its name', () => {
  const detector = own({ capacity: true, manualClock: true });
  const refused = [
    [() => detector.recordWrite('', 'k'), RangeError, /^table must have 1 to 1024 bytes/],
    [() => detector.recordWrite('t'.repeat(1_025), 'k'), RangeError, /^table/],
    [() => detector.recordWrite(7, 'k'), TypeError, /^table must be a string/],
    [() => detector.recordWrite(undefined, 'k'), TypeError, /^table/],
    [() => detector.recordRead('t', 1.5), RangeError, /^pk must be a safe integer/],
    [() => detector.recordRead('t', 2 ** 53), RangeError, /^pk/],
    [() => detector.recordRead('t', NaN), RangeError, /^pk/],
    [() => detector.recordRead('t', true), TypeError, /^pk must be a string.*not boolean/],
    [() => detector.recordRead('t', null), TypeError, /^pk.*not null/],
    [() => detector.recordRead('t', ['k']), TypeError, /^pk.*not array/],
    [() => detector.recordRead('t'), TypeError, /^pk.*not undefined/],
    [() => detector.recordRead('t', 'k'.repeat(16_385)), RangeError, /^pk must have at most 16384/],
    [() => detector.recordRead('t', 'é'.repeat(8_193)), RangeError, /^pk/],
    [() => detector.recordWrite('t', 'k', { amount: 0.3 }), RangeError, /^amount must be a positive multiple of half/],
    [() => detector.recordWrite('t', 'k', { amount: 0 }), RangeError, /^amount/],
    [() => detector.recordWrite('t', 'k', { amount: 1n }), TypeError, /^amount/],
    [() => detector.recordWrite('t', 'k', { model: '' }), RangeError, /^model/],
    [() => detector.recordWrite('t', 'k', 5), TypeError, /^options/],
    [() => detector.recordThrottle('t', 'k', 'delete'), RangeError, /^operation must be one of 'write', 'read'/],
    [() => detector.recordThrottle('t', 'k', 'read', 'why'), RangeError, /^reason/],
    [() => detector.getUnattributedCount('t', 'what', 'read'), RangeError, /^kind/],
    [() => detector.hottest(-1), RangeError, /^n must be/],
    [() => detector.hottest('3'), TypeError, /^n must be/],
    [() => detector.metrics({ hottest: 1.5 }), RangeError, /^hottest/],
    [() => detector.metrics({ openMetrics: 'yes' }), TypeError, /^openMetrics/],
    [() => detector.setTableThresholds('t', { writes: 0 }), RangeError, /^writes/],
    [() => detector.setModelThresholds('m', { reads: '7' }), TypeError, /^reads/],
    [() => detector.setTime(-1), RangeError, /^seconds/],
    [() => detector.setTime(Infinity), RangeError, /^seconds/],
    [() => detector.setKeySchema('t', []), RangeError, /^attributes/],
    [() => detector.setKeySchema('t', ['a', 'b']), RangeError, /^attributes/],
    [() => detector.setKeySchema('t', 7), TypeError, /^attributes/],
    [() => detector.setKeySchema('t', 'a', ''), RangeError, /^index/],
    [() => detector.setKeySchema('t', new Array(2), 'i'), TypeError, /^attributes/],
    [() => detector.setTableThresholds('t'), TypeError, /^thresholds must be an object/],
    [() => detector.setTableThresholds('t', 7), TypeError, /^thresholds/],
    [() => detector.setTableThresholds('t', { write: 7 }), TypeError, /^thresholds must not have 'write'/],
    [() => detector.setModelThresholds('m', null), TypeError, /^thresholds/],
    [() => detector.metrics(null), TypeError, /^options/],
    [() => detector.metrics({ openmetrics: true }), TypeError, /^options must not have 'openmetrics'/],
    [() => detector.recordWrite('t', 'k', { amout: 5 }), TypeError, /^options must not have 'amout'/],
    [() => detector.recordWrite('t', new Proxy(new Uint8Array(1), {})), TypeError, /^pk/],
    [() => detector.recordWrite('t', Object.create(Uint8Array.prototype)), TypeError, /^pk/],
    [() => detector.observe(), TypeError, /^attempt must be an object/],
    [() => detector.observe({ operation: 'PutItem', request: '{}', model: Buffer.from('m') }), TypeError, /^model/],
    [() => detector.observe({ operation: 7, request: '{}' }), TypeError, /^operation/],
    [() => detector.observe({ operation: 'PutItem' }), TypeError, /^request/],
    [() => detector.observe({ operation: 'PutItem', request: '{}', response: 7 }), TypeError, /^response/],
    [() => detector.observe({ operation: 'PutItem', request: '{}', status: 1_000 }), RangeError, /^status/],
    [() => detector.observe({ operation: 'PutItem', request: '{}', status: 50 }), RangeError, /^status/],
    [() => detector.observe({ operation: 'PutItem', request: '{' }), RangeError, /JSON/],
    [() => detector.observe({ operation: 'PutItem', request: '{"TableName":"t","Item":{}}\0' }), RangeError, /JSON/],
    [
      () =>
        detector.observe({
          operation: 'GetItem',
          request: '{"TableName":"t","Key":{"k":{"S":"k"}}}',
          response: '{}\0',
        }),
      RangeError,
      /JSON/,
    ],
  ];
  for (const [call, type, message] of refused) {
    assert.throws(call, (error) => error instanceof type && message.test(error.message), String(call));
  }
  assert.equal(detector.stats().records, 0, 'a refused call changes nothing');
});

test('options that make no sense are refused by their names', () => {
  const refused = [
    [{ writesThreshold: 0 }, RangeError, /^writesThreshold/],
    [{ readsThreshold: undefined }, TypeError, /^readsThreshold/],
    [{ readsThreshold: 1.5 }, RangeError, /^readsThreshold/],
    [{ windowSeconds: 3_601 }, RangeError, /^windowSeconds must be 1 to 3600/],
    [{ warningIntervalSeconds: -1 }, RangeError, /^warningIntervalSeconds/],
    [{ maxPartitions: 0 }, RangeError, /^maxPartitions/],
    [{ onWarning: 7 }, TypeError, /^onWarning/],
    [{ logger: 7 }, TypeError, /^logger/],
    [{ redact: Buffer.from('short') }, RangeError, /^redact must be 16 secret bytes/],
    [{ redact: Buffer.alloc(16) }, RangeError, /^redact/],
    [{ redact: 'yes' }, TypeError, /^redact/],
    [{ capacity: 'no' }, TypeError, /^capacity/],
    [{ manualClock: 1 }, TypeError, /^manualClock/],
    [{ hashSeed: [1n] }, TypeError, /^hashSeed/],
    [{ hashSeed: [1n, -1n] }, RangeError, /^hashSeed/],
    [{ processes: 0 }, RangeError, /^processes/],
    [
      { windowSeconds: 4, writesSustained: 5 },
      RangeError,
      /^windowSeconds must be 5 to 3600 with sustained thresholds/,
    ],
    [{ windows: 5 }, TypeError, /^options must not have 'windows'/],
  ];
  for (const [options, type, message] of refused) {
    assert.throws(
      () => own(options),
      (error) => error instanceof type && message.test(error.message),
      String(message),
    );
  }
  assert.throws(() => new HotPartitionDetector(), /options must be an object/);
  assert.throws(() => HotPartitionDetector.forDynamoDB({ share: 2 }), /^RangeError: share/);
  assert.throws(() => HotPartitionDetector.forDynamoDB({ processes: 0 }), /^RangeError: processes/);
  for (const windowSeconds of [0, 4, 3_601]) {
    assert.throws(() => HotPartitionDetector.forDynamoDB({ windowSeconds }), /^RangeError: windowSeconds/);
  }
  assert.throws(() => HotPartitionDetector.attach({}), /^TypeError: shared/);
});

test('counts are those of a list of timestamps', () => {
  const window = 7;
  const detector = own({ windowSeconds: window, manualClock: true, writesThreshold: 10 ** 6 });
  let [seed, now] = [11, 0];
  const random = (n) => (seed = (seed * 48_271) % 2_147_483_647) % n;
  const records = [];
  for (let step = 0; step < 2_000; step++) {
    if (random(10) === 0) detector.setTime((now += random(3_000)) / 1_000);
    const [pk, amount] = [`k${random(5)}`, 1 + random(3)];
    records.push({ pk, amount, second: Math.floor(now / 1_000) });
    const expected = records
      .filter((each) => each.pk === pk && each.second >= Math.floor(now / 1_000) - window)
      .reduce((sum, each) => sum + each.amount, 0);
    assert.equal(detector.recordWrite('t', pk, { amount }), expected);
    assert.equal(detector.getWriteCount('t', pk), expected);
  }
});

test('statistics, metrics and the hottest of both operations', () => {
  const detector = own({ capacity: true });
  detector.recordRead('t', 'a', { amount: 12.5 });
  detector.recordWrite('t', 'b', { amount: 400 });
  detector.recordThrottle('t', 'b', 'write', 'account_limit');
  assert.deepEqual(
    detector.hottest(5).map(({ pk, operation, count, utilisation }) => [pk, operation, count, utilisation]),
    [
      ['b', 'write', 400, 0.4],
      ['a', 'read', 12.5, 0.004],
    ],
  );
  assert.deepEqual(
    detector.hottest(1, 'read').map(({ pk }) => pk),
    ['a'],
  );
  const stats = detector.stats();
  assert.deepEqual([stats.records, stats.partitions, stats.throttles.account_limit, stats.warnings], [2, 2, 1, 2]);
  assert.match(detector.metrics(), /hotpart_partition_units\{.*pk="a".*\} 12\.5/);
  assert.match(detector.metrics({ openMetrics: true }), /# EOF\n$/);
});

test('bytes are what they are, whatever their class says', () => {
  const detector = own();
  class Long extends Uint8Array {
    get length() {
      return 16_000;
    }
  }
  assert.equal(detector.recordWrite('t', new Long([97])), 1);
  assert.equal(detector.getWriteCount('t', 'a'), 1);
  assert.equal(
    detector.recordWrite(new Long([116]), Object.defineProperty(Buffer.from('a'), 'length', { value: 9_000 })),
    2,
  );
});

test('a getter that closes is found out', () => {
  const closing = (call) => {
    const detector = own();
    detector.recordWrite('t', 'k');
    assert.throws(() => call(detector, (value) => (detector.close(), value)), ClosedError);
  };
  closing((d, close) =>
    d.recordWrite('t', 'k', {
      get amount() {
        return close(1);
      },
    }),
  );
  closing((d, close) =>
    d.setTableThresholds('t', {
      get writes() {
        return close(5);
      },
    }),
  );
  closing((d, close) =>
    d.observe({
      get operation() {
        return close('ListTables');
      },
      request: '{}',
    }),
  );
  closing((d, close) =>
    d.metrics({
      get hottest() {
        return close(5);
      },
    }),
  );
});

test('a missing key schema is said by its table, and what needs it waits', () => {
  const detector = own();
  const attempt = { operation: 'PutItem', request: '{"TableName":"t","Item":{"id":{"S":"k"}}}' };
  assert.throws(
    () => detector.observe(attempt),
    (error) => error instanceof MissingSchemaError && error.table === 't' && error.tables.length === 1,
  );
  assert.equal(detector.observe(attempt), 1, 'it waits, and the table is not asked for again at once');
  assert.equal(detector.getWriteCount('t', 'k'), 0);
  detector.setKeySchema('t', 'id');
  assert.equal(detector.getWriteCount('t', 'k'), 2);
  assert.equal(detector.observe({ ...attempt, request: Buffer.from(attempt.request) }), 1);
  assert.equal(detector.observe({ ...attempt, model: 'a\0b', response: '{}' }), 1);
  assert.equal(detector.getWriteCount('t', 'k'), 4);
});

test('all tables whose key schema is missing are named', () => {
  const names = Array.from({ length: 100 }, (_, n) => `t${n}`.padEnd(255, 'x'));
  const Item = { id: { S: 'k' } };
  const request = JSON.stringify({ TransactItems: names.map((TableName) => ({ Put: { TableName, Item } })) });
  for (const model of [undefined, 'm', 'a\0b']) {
    const detector = own();
    assert.throws(
      () => detector.observe({ operation: 'TransactWriteItems', request, model }),
      ({ tables }) => {
        assert.deepEqual([...tables].sort(), [...names].sort());
        return true;
      },
    );
  }
});

test('a table that is forgotten is tallied until its key is known after all', () => {
  const detector = own();
  const attempt = { operation: 'PutItem', request: '{"TableName":"t","Item":{"id":{"S":"k"}}}' };
  const unread = () => detector.getUnattributedCount('t', 'unread', 'write');
  assert.throws(() => detector.observe(attempt), /^MissingSchemaError: the key schema of table 't' is not known$/);
  detector.forgetTable('arn:aws:dynamodb:us-east-1:123456789012:table/t');
  assert.equal(unread(), 1);
  detector.observe(attempt);
  assert.deepEqual([unread(), detector.stats().unread], [2, 2]);
  detector.setKeySchema('t', 'id');
  assert.equal(detector.observe(attempt), 1);
  assert.deepEqual([unread(), detector.getWriteCount('t', 'k')], [2, 1]);
  assert.throws(() => detector.forgetTable(''), /^RangeError: table/);
  assert.throws(() => detector.forgetTable(7), /^TypeError: table/);
});

test('several tables are named as such', () => {
  const { message } = new MissingSchemaError(['a', 'b']);
  assert.equal(message, "the key schemas of tables 'a', 'b' are not known");
});

test('a closed detector throws', () => {
  const detector = own();
  detector.recordWrite('t', 'k');
  detector.close();
  detector.close();
  assert.equal(detector.closed, true);
  const calls = [
    () => detector.recordWrite('t', 'k'),
    () => detector.recordRead('t', 'k', { amount: 2 }),
    () => detector.getWriteCount('t', 'k'),
    () => detector.hottest(),
    () => detector.hottestClosed('write', 0),
    () => detector.stats(),
    () => detector.metrics(),
    () => detector.clear(),
    () => detector.observe({ operation: 'ListTables', request: '{}' }),
    () => detector.share(),
    () => detector.thresholds,
  ];
  for (const call of calls) assert.throws(call, ClosedError);
});

test('tables in turn count apart, and none after it is closed', () => {
  const detector = own();
  for (let n = 1; n <= 3; n++) {
    for (const table of ['a', 'b', 'b', 'a']) detector.recordWrite(table, 'k');
    assert.deepEqual(
      ['a', 'b'].map((table) => detector.getWriteCount(table, 'k')),
      [2 * n, 2 * n],
    );
  }
  detector.close();
  for (const table of ['a', 'b']) assert.throws(() => detector.recordWrite(table, 'k'), ClosedError);
});

test('tables that strangers name are not kept', () => {
  const detector = own();
  for (let n = 0; n < 3_000; n++) detector.recordWrite(`table${n}`, 'k');
  assert.equal(detector.recordWrite('table2999', 'k'), 2);
  detector.close();
});

test('a bound keeps memory, and a dropped detector gives it back', () => {
  const code = `
    const { HotPartitionDetector } = require(${JSON.stringify(createRequire(import.meta.url).resolve('hotpart'))});
    const make = (n) => {
      const detector = new HotPartitionDetector({ writesThreshold: 9, readsThreshold: 9, windowSeconds: 60, logger: null });
      for (let i = 0; i < 20_000; i++) detector.recordWrite('t', String(i));
    };
    (async () => {
      for (let n = 0; n < 30; n++) { make(n); global.gc(); await new Promise(setImmediate); }
      const before = process.memoryUsage.rss();
      for (let n = 0; n < 120; n++) { make(n); global.gc(); await new Promise(setImmediate); }
      console.log(process.memoryUsage.rss() - before < 20 * 2 ** 20);
    })();`;
  const out = execFileSync(process.execPath, ['--expose-gc', '-e', code], { encoding: 'utf8' });
  assert.equal(out, 'true\n');
  const bounded = never(false, null, { maxPartitions: 100 });
  for (let n = 0; n < 5_000; n++) bounded.recordWrite('t', String(n));
  assert.ok(bounded.stats().partitions <= 100);
  bounded.close();
});

test('a detector for DynamoDB takes a window', () => {
  for (const [windowSeconds, window] of [
    [undefined, 60],
    [5, 5],
    [3_600, 3_600],
  ]) {
    const detector = HotPartitionDetector.forDynamoDB({ windowSeconds, logger: null });
    assert.equal(detector.windowSeconds, window);
    detector.close();
  }
});
