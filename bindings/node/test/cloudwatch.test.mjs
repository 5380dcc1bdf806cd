// Lines of closed minutes: what is written, when, and that it adds up to what was recorded.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HotPartitionDetector } from 'hotpart';
import { MinuteLines } from 'hotpart/cloudwatch';
import { never, randomOf, watched } from './support/minutes.mjs';

test('a minute has a line for each of its hottest and one of the rest', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_250 });
  const { detector, lines, written } = watched({ hottest: 2 });
  for (const [pk, amount] of Object.entries({ a: 3, b: 2, c: 1, d: 1 })) detector.recordWrite('events', pk, { amount });
  detector.recordThrottle('events', 'a', 'write');
  detector.recordRead('events', 'a');
  detector.setTime(61.9);
  assert.deepEqual([lines.flush(), written], [0, []]);
  detector.setTime(62);
  assert.equal(lines.flush(), 1);
  const at = { time: 1_799_999_938_250, minute: 0 };
  const partition = { hotpart: 'partition', ...at, table: 'events' };
  assert.deepEqual(written.slice(0, -1), [
    { ...partition, pk: 'a', operation: 'write', count: 3, throttles: 1, demand: 4, peak: 3 },
    { ...partition, pk: 'b', operation: 'write', count: 2, throttles: 0, demand: 2, peak: 2 },
    { hotpart: 'rest', ...at, operation: 'write', count: 2 },
    { ...partition, pk: 'a', operation: 'read', count: 1, throttles: 0, demand: 1, peak: 1 },
  ]);
  // Nothing is due again, and a minute without records has no line.
  assert.equal(lines.flush(), 0);
  detector.setTime(185);
  assert.deepEqual([lines.flush(), written.length], [2, 5]);
});

test('partitions below least are in the rest', () => {
  const { detector, lines, of } = watched({ least: 2.5, detector: { capacity: true } });
  for (const [pk, amount] of Object.entries({ a: 2.5, b: 2, c: 0.5 })) detector.recordRead('t', pk, { amount });
  detector.setTime(62);
  lines.flush();
  assert.deepEqual([of('partition').map(({ pk }) => pk), of('rest').map(({ count }) => count)], [['a'], [2.5]]);
});

test('keys are told apart whatever their bytes, as in Python', () => {
  const { detector, lines, of } = watched({ hottest: 99 });
  const bytes = [[0xff], [0xe2, 0x82, 0x41], [0xf0, 0x9f, 0x98, 0x80], [0x5c, 0xff], [0xc3]].map((each) =>
    Buffer.from(each),
  );
  for (const pk of ['\\xFF', 'a\nb', 'a"b', 'é', '', ...bytes]) detector.recordWrite('t', pk);
  detector.setTime(62);
  lines.flush();
  assert.deepEqual(
    new Set(of('partition').map(({ pk }) => pk)),
    new Set(['\\x5CxFF', 'a\nb', 'a"b', 'é', '', '\\xFF', '\\xE2\\x82A', '😀', '\\x5C\\xFF', '\\xC3']),
  );
});

test('keys are redacted where the detector redacts them', () => {
  const { detector, lines, written, of } = watched({ detector: { redact: Buffer.from('0123456789abcdef') } });
  detector.recordWrite('t', 'secret');
  detector.setTime(62);
  lines.flush();
  assert.equal(of('partition')[0].pk, detector.redacted('t', 'secret'));
  assert.ok(!JSON.stringify(written).includes('secret'));
});

test('minutes that have left the window are told as lost', () => {
  const { detector, lines, of, totals } = watched({ window: 120 });
  detector.recordWrite('t', 'lost');
  detector.setTime(805);
  detector.recordWrite('t', 'k');
  // Minute 11 began 145 seconds ago. Minute 12 has nothing, and 13 is not over.
  assert.equal(lines.flush(), 1);
  assert.deepEqual([of('lost').map((line) => line.lost_minutes), totals()[0].lost_minutes], [[12], 12]);
  detector.setTime(842);
  assert.equal(lines.flush(), 1);
  const [{ pk, minute }] = of('partition');
  assert.deepEqual([pk, minute, of('partition').length], ['k', 13, 1]);
  assert.equal(of('lost').length, 1);
});

for (const [now, off, lost] of [
  [120, 1, 0],
  [121, -1, 1],
  [120.9, 1.9, 0],
  [122, -1.9, 1],
]) {
  test(`at the window's edge the library's clock decides: ${now} and ${off}`, (t) => {
    const { detector, lines, of } = watched({ window: 120 });
    detector.recordWrite('t', 'k');
    detector.setTime(now);
    Object.defineProperty(detector, 'now', { get: () => now + off });
    lines.flush();
    assert.deepEqual([of('lost').length, of('partition').length], [lost, 1 - lost]);
  });
}

for (let seed = 0; seed < 20; seed++) {
  test(`the lines of a fleet add up to what was recorded: ${seed}`, () => {
    const random = randomOf(seed);
    const below = (n) => Math.floor(random() * n);
    const choose = (of) => of[below(of.length)];
    for (let process = 0; process < 1 + below(4); process++) {
      const capacity = random() < 0.3;
      const options = {
        hottest: choose([0, 1, 5, 1_000]),
        least: choose([0, 1, 3]),
        graceSeconds: choose([0, 2, 7.5]),
      };
      const window = choose([120, 121, 300, 900]);
      const { detector, lines, of, totals } = watched({ window, detector: { capacity }, ...options });
      const truth = new Map();
      for (let now = 0; now < 2_400;) {
        for (let n = below(12); n > 0; n--) {
          const operation = choose(['write', 'read']);
          const pk = String(below(1 + below(40)));
          const amount = (1 + below(6)) / (capacity ? 2 : 1);
          detector[operation === 'write' ? 'recordWrite' : 'recordRead']('t', pk, { amount });
          const line = [Math.floor(now / 60), operation, pk].join();
          truth.set(line, (truth.get(line) ?? 0) + amount);
          if (random() < 0.1) detector.recordThrottle('t', pk, operation);
        }
        // Now and then it is frozen, for longer than its window too.
        now += random() < 0.97 ? random() * 9 : random() * 1_100;
        detector.setTime(now);
        if (random() < 0.5) lines.flush();
      }
      const sums = new Map();
      const seen = new Set();
      for (const { minute, operation, pk, count, throttles, demand } of [...of('partition'), ...of('rest')]) {
        const line = [minute, operation, pk].join();
        assert.ok(!seen.has(line), line);
        seen.add(line);
        if (pk !== undefined) assert.deepEqual([count, demand], [truth.get(line) ?? 0, count + throttles]);
        const of = `${minute},${operation}`;
        sums.set(of, (sums.get(of) ?? 0) + count);
      }
      const exact = new Map();
      for (const [line, amount] of truth) {
        const of = line.split(',').slice(0, 2).join();
        exact.set(of, (exact.get(of) ?? 0) + amount);
      }
      // Whole minutes are there, or missing; what is missing is not over, or lost.
      for (const [of, count] of sums) assert.equal(count, exact.get(of) ?? 0, of);
      const newest = Math.max(-1, ...[...sums.keys()].map((of) => Number(of.split(',')[0])));
      const missing = [...exact.keys()].filter((of) => !sums.has(of)).map((of) => Number(of.split(',')[0]));
      const lost = of('lost').reduce((sum, line) => sum + line.lost_minutes, 0);
      assert.ok(new Set(missing.filter((minute) => minute < newest)).size <= lost);
      assert.equal(
        totals().reduce((sum, line) => sum + line.lost_minutes, 0),
        lost,
      );
    }
  });
}

test('without a freeze no minute is missing', () => {
  const { detector, lines, of, totals } = watched({ window: 120 });
  const recorded = {};
  for (let second = 0; second < 3_600; second += 7) {
    detector.setTime(second);
    lines.flush();
    detector.recordWrite('t', String(second % 41));
    const minute = Math.floor(second / 60);
    recorded[minute] = (recorded[minute] ?? 0) + 1;
  }
  detector.setTime(3_602);
  lines.flush();
  const sums = {};
  for (const { minute, count } of [...of('partition'), ...of('rest')]) sums[minute] = (sums[minute] ?? 0) + count;
  assert.deepEqual([sums, of('lost')], [recorded, []]);
  const records = totals().reduce((sum, line) => sum + line.records, 0);
  assert.equal(
    records,
    Object.values(recorded).reduce((sum, n) => sum + n),
  );
});

test('what processes print adds up', () => {
  const program = `
    import { MinuteLines } from 'hotpart/cloudwatch';
    import { never, randomOf } from './support/minutes.mjs';
    const random = randomOf(Number(process.argv[1]));
    const detector = never(300);
    const lines = new MinuteLines(detector, { hottest: 3 });
    let recorded = 0;
    const handler = lines.wrap(async () => {
      for (let n = 1 + Math.floor(random() * 5); n > 0; n--, recorded++) {
        detector.recordWrite('t', String(Math.floor(random() * 9)));
      }
    });
    let now = 0;
    for (let n = 0; n < 300; n++) {
      await handler({}, {});
      detector.setTime((now += random() * 20));
    }
    detector.setTime(now + 62);
    lines.flush();
    console.error(recorded);`;
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  for (const seed of ['1', '2']) {
    const command = ['--input-type=module', '-e', program, '--', seed];
    const { stdout, stderr, status } = spawnSync(process.execPath, command, { cwd, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const printed = stdout.trim().split('\n').map(JSON.parse);
    const sum = (name) => printed.reduce((total, line) => total + (line[name] ?? 0), 0);
    assert.deepEqual([sum('count'), sum('records')], [Number(stderr), Number(stderr)]);
  }
});

/** Checks what the specification of the Embedded Metric Format, and its JSON schema, ask for. */
function checkEmbedded(line) {
  assert.deepEqual(Object.keys(line._aws).sort(), ['CloudWatchMetrics', 'Timestamp']);
  assert.ok(Number.isInteger(line._aws.Timestamp));
  for (const directive of line._aws.CloudWatchMetrics) {
    assert.deepEqual(Object.keys(directive).sort(), ['Dimensions', 'Metrics', 'Namespace']);
    assert.ok(directive.Namespace.length >= 1 && directive.Namespace.length <= 255);
    assert.ok(directive.Dimensions.length >= 1 && directive.Dimensions.every((names) => names.length <= 30));
    for (const name of directive.Dimensions.flat()) assert.ok(typeof line[name] === 'string' && line[name] !== '');
    assert.ok(directive.Metrics.length <= 100);
    for (const { Name, Unit, ...more } of directive.Metrics) {
      assert.deepEqual([typeof line[Name], Unit, more], ['number', 'Count', {}]);
    }
  }
  assert.ok(JSON.stringify(line).length <= 256 * 1_024);
}

test('totals are in the embedded metric format, and since the line before', () => {
  const dimensions = Object.fromEntries([
    ['service', 'orders'],
    ...Array.from({ length: 29 }, (_, n) => [`d${n}`, 'x']),
  ]);
  const { detector, lines, totals } = watched({ namespace: 'Shop/DynamoDB', dimensions });
  detector.setTableThresholds('t', { writes: 2 });
  for (let n = 0; n < 3; n++) detector.recordWrite('t', 'k');
  detector.recordThrottle('t', 'k', 'write', 'provisioned');
  detector.setTime(62);
  lines.flush();
  const [line] = totals();
  checkEmbedded(line);
  const [directive] = line._aws.CloudWatchMetrics;
  assert.deepEqual([directive.Namespace, directive.Dimensions], ['Shop/DynamoDB', [Object.keys(dimensions)]]);
  assert.ok(Math.abs(line._aws.Timestamp - Date.now()) < 5_000 && line.service === 'orders');
  assert.deepEqual(Object.fromEntries(directive.Metrics.map(({ Name }) => [Name, line[Name]])), {
    records: 3,
    warnings: 1,
    throttles_unknown: 0,
    throttles_key_range: 0,
    throttles_provisioned: 1,
    throttles_account_limit: 0,
    throttles_max_on_demand: 0,
    lost_minutes: 0,
  });
  // No rule of partitions takes it for a line of its own.
  assert.ok(!('hotpart' in line));
  detector.recordWrite('t', 'k');
  detector.setTime(122);
  lines.flush();
  assert.deepEqual(
    totals().map(({ records }) => records),
    [3, 1],
  );
  for (const [options, embedded] of [
    [{}, 1],
    [{ namespace: null }, 0],
  ]) {
    const { detector, lines, totals, written } = watched(options);
    detector.recordWrite('t', 'k');
    detector.setTime(62);
    lines.flush();
    assert.deepEqual([totals().length, written.length], [embedded, 1 + embedded]);
    for (const line of totals()) {
      checkEmbedded(line);
      assert.deepEqual(line._aws.CloudWatchMetrics[0].Dimensions, [[]]);
    }
  }
});

test('a wrapped handler flushes at its end, however it ends', async () => {
  const { detector, lines, of } = watched({ namespace: null });
  let minute = 0;
  const flushed = async (handler, call) => {
    detector.recordWrite('t', String(minute));
    detector.setTime(++minute * 60 + 2);
    const wrapped = lines.wrap(handler);
    assert.deepEqual([wrapped.length, wrapped.name], [handler.length, handler.name]);
    const result = await call(wrapped);
    assert.deepEqual([of('partition').length, of('partition').at(-1).pk], [minute, String(minute - 1)]);
    return result;
  };
  const context = {};
  assert.equal(
    await flushed(
      async (event, given) => [event, given === context],
      (f) => f(7, context),
    ).then(String),
    '7,true',
  );
  await flushed(
    async () => {
      throw new Error('mine');
    },
    (f) => assert.rejects(f(7, context), /^Error: mine/),
  );
  await flushed(
    () => {
      throw new Error('mine');
    },
    (f) => assert.throws(() => f(7, context), /^Error: mine/),
  );
  assert.equal(
    await flushed(
      (event) => event,
      (f) => f(7, context, () => {}),
    ),
    7,
  );
  const back = (event, _context, callback) => void setTimeout(() => callback(null, event + 1), 5);
  assert.equal(await flushed(back, (f) => new Promise((told) => f(7, context, (_error, result) => told(result)))), 8);
  const [before, pending] = [of('partition').length, lines.wrap(back)];
  detector.recordWrite('t', 'pending');
  detector.setTime(++minute * 60 + 2);
  const told = new Promise((resolve) => pending(7, context, resolve));
  assert.equal(of('partition').length, before, 'not when it returns');
  await told;
  assert.equal(of('partition').length, before + 1);
  const service = {
    base: 40,
    handler: async function (event) {
      return this.base + event;
    },
  };
  service.handler = lines.wrap(service.handler);
  assert.equal(await service.handler(2), 42);
  assert.throws(() => lines.wrap('handler'), /^TypeError: handler must be a function/);
});

test("a handler's result is its own where writing fails, and of a closed detector", async () => {
  const logged = [];
  const detector = never(900, { logger: { warn: (line) => logged.push(line) } });
  const tries = [];
  const write = (line) => {
    tries.push(line);
    throw new Error('no room');
  };
  const lines = new MinuteLines(detector, { write });
  detector.recordWrite('t', 'k');
  detector.setTime(62);
  assert.equal(await lines.wrap(async (event) => event)(3), 3);
  assert.match(logged.join(), /closed minutes could not be written.*no room/s);
  // It may have been written for all that, so it is not written again. That it may not have been is.
  assert.throws(() => lines.flush(), /no room/);
  assert.deepEqual([tries.map((line) => JSON.parse(line).hotpart), logged.length], [['partition', 'lost'], 1]);
  detector.close();
  assert.equal(await lines.wrap(async (event) => event)(4), 4);
  assert.equal(logged.length, 1);
});

test('arguments of lines are checked by name', () => {
  const many = Object.fromEntries(Array.from({ length: 31 }, (_, n) => [`d${n}`, 'x']));
  for (const [options, words] of [
    [{ hottest: -1 }, /^RangeError: hottest/],
    [{ hottest: '1' }, /^TypeError: hottest/],
    [{ least: -1 }, /^RangeError: least/],
    [{ least: NaN }, /^RangeError: least/],
    [{ least: '1' }, /^TypeError: least/],
    [{ graceSeconds: 61 }, /^RangeError: graceSeconds must be 0 to 60/],
    [{ write: 'stdout' }, /^TypeError: write must be a function/],
    [{ namespace: '' }, /^RangeError: namespace/],
    [{ namespace: 7 }, /^TypeError: namespace/],
    [{ dimensions: null }, /^TypeError: dimensions must be an object/],
    [{ dimensions: { a: 1 } }, /^TypeError: dimensions must be a string/],
    [{ dimensions: { '': 'x' } }, /^RangeError: dimensions must have 1 to/],
    [{ dimensions: many }, /^RangeError: dimensions must be 30 at most/],
    [{ dimensions: { records: 'x' } }, /^RangeError: dimensions must not have 'records'/],
    [{ windows: 1 }, /^TypeError: options must not have 'windows'/],
  ]) {
    assert.throws(() => new MinuteLines(never(120), options), words);
  }
  for (const [detector, words] of [
    [{}, /^TypeError: detector must be a HotPartitionDetector/],
    [HotPartitionDetector.forDynamoDB(), /^RangeError: .*windowSeconds must be 120 or more, not 60/],
    [never(120, { memory: '1MiB' }), /^RangeError: .*without memory/],
  ]) {
    assert.throws(() => new MinuteLines(detector), words);
  }
});

test('a clock that runs is the same in all threads, and starts at a whole second', () => {
  const detector = new HotPartitionDetector({
    writesThreshold: 1,
    readsThreshold: 1,
    windowSeconds: 120,
    logger: null,
  });
  const other = HotPartitionDetector.attach(detector.share(), { logger: null });
  const second = Number(process.hrtime.bigint()) / 1e9;
  assert.ok(Math.abs(detector.now - (second % 1)) < 1 && Math.abs(other.now - detector.now) < 0.5);
  assert.equal(new MinuteLines(detector).flush(), 0);
});
