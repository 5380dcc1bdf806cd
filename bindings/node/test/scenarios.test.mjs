// The scenarios that all faces of the library share.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HotPartitionDetector, MissingSchemaError } from 'hotpart';

const file = process.env.HOTPART_SCENARIOS ?? fileURLToPath(new URL('../../../tests/scenarios.txt', import.meta.url));

/** A word's text: a Buffer where it is not UTF-8. */
function text(word) {
  if (word === '""') return '';
  const bytes = Buffer.concat(
    word
      .split(/(%[0-9A-F]{2})/)
      .map((part) => (part[0] === '%' ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  );
  const utf8 = bytes.toString();
  return Buffer.from(utf8).equals(bytes) ? utf8 : bytes;
}

const key = (word) => (word.startsWith('#') ? BigInt(word.slice(1)) : text(word));
const threshold = (word) => (word === '-' ? null : Number(word));
/** The carried amount, where it is not 0. */
const carried = (told) => (told.carried === 0 ? [] : [`carried=${told.carried}`]);
const shown = (value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value));

class Runner {
  seen = { warn: [], line: [], hot: [] };
  bodies = {};

  run(steps) {
    let expected = { warn: [], line: [], hot: [] };
    let at = 0;
    for (const [number, line] of steps) {
      const [what, rest = ''] = cut(line, ' ');
      if (what in expected) {
        expected[what].push(
          what === 'line' ? rest : rest.split(' ').map((word) => (/^\w+=/.test(word) ? word : shown(text(word)))),
        );
        continue;
      }
      this.check(expected, at);
      expected = { warn: [], line: [], hot: [] };
      at = number;
      if (what === 'request' || what === 'response') {
        this.bodies[what] = rest;
        continue;
      }
      const [call, result] = cut(rest, ' -> ');
      const words = call === '' ? [] : call.split(' ');
      const isOption = (word) => /^\w+=/.test(word);
      const options = Object.fromEntries(words.filter(isOption).map((word) => cut(word, '=')));
      const returned = this[what === 'detector' ? 'own' : what](
        words.filter((word) => !isOption(word)),
        options,
      );
      assert.equal(returned === undefined ? undefined : String(returned), result, `line ${number}`);
    }
    this.check(expected, at);
    this.detector?.close();
  }

  check(expected, at) {
    assert.deepEqual(this.seen, expected, `after line ${at}`);
    this.seen = { warn: [], line: [], hot: [] };
  }

  options({ interval, throttles, bound, redact, memory }) {
    return {
      manualClock: true,
      logger: { warn: (line) => this.seen.line.push(line) },
      onWarning: (w) =>
        this.seen.warn.push([
          ...[w.operation, w.table, w.pk].map(shown),
          `count=${w.count}`,
          `threshold=${w.threshold}`,
          `window=${w.windowSeconds}`,
          `suppressed=${w.suppressed}`,
          `peak=${w.peak}`,
          `rule=${w.rule}`,
          `utilisation=${w.utilisation}`,
          ...carried(w),
        ]),
      ...(interval && { warningIntervalSeconds: Number(interval) }),
      ...(throttles && { warnOfThrottles: true }),
      ...(bound && { maxPartitions: Number(bound) }),
      ...(memory && { memory: Number(memory) }),
      ...(redact && { redact: Buffer.from(redact, 'hex') }),
    };
  }

  own(_, given) {
    const rates = {
      writesPerSecond: given.writes_per_second,
      readsPerSecond: given.reads_per_second,
      writesSustained: given.writes_sustained,
      readsSustained: given.reads_sustained,
      processes: given.processes,
    };
    this.detector = new HotPartitionDetector({
      writesThreshold: Number(given.writes),
      readsThreshold: Number(given.reads),
      windowSeconds: Number(given.window),
      capacity: given.capacity === '1',
      ...Object.fromEntries(Object.entries(rates).flatMap(([name, n]) => (n === undefined ? [] : [[name, Number(n)]]))),
      ...this.options(given),
    });
  }

  dynamodb(_, given) {
    this.detector = HotPartitionDetector.forDynamoDB({
      share: Number(given.share),
      processes: Number(given.processes),
      ...this.options(given),
    });
  }

  at([seconds]) {
    this.detector.setTime(Number(seconds));
  }

  record(record, [table, pk], { amount, model, times = 1 }) {
    const options =
      amount || model ? { ...(amount && { amount: Number(amount) }), ...(model && { model }) } : undefined;
    let count;
    try {
      for (let n = 0; n < Number(times); n++) count = record(text(table), key(pk), options);
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) return 'invalid';
      throw error;
    }
    return count;
  }

  write(words, options) {
    return this.record((...given) => this.detector.recordWrite(...given), words, options);
  }

  read(words, options) {
    return this.record((...given) => this.detector.recordRead(...given), words, options);
  }

  count([operation, table, pk]) {
    return operation === 'write'
      ? this.detector.getWriteCount(text(table), key(pk))
      : this.detector.getReadCount(text(table), key(pk));
  }

  bounds([operation, table, pk]) {
    const { least, most } = this.detector.bounds(text(table), key(pk), operation);
    return `${least} ${most}`;
  }

  table([name], { writes, reads }) {
    this.detector.setTableThresholds(text(name), { writes: threshold(writes), reads: threshold(reads) });
  }

  model([name], { writes, reads }) {
    this.detector.setModelThresholds(text(name), { writes: threshold(writes), reads: threshold(reads) });
  }

  thresholds([what, name]) {
    const { writes, reads } =
      what === 'table' ? this.detector.getTableThresholds(text(name)) : this.detector.getModelThresholds(text(name));
    return `${writes ?? '-'} ${reads ?? '-'}`;
  }

  throttle([operation, table, pk, reason]) {
    return this.detector.recordThrottle(text(table), key(pk), operation, reason);
  }

  throttles([operation, table, pk, reason]) {
    return this.detector.getThrottleCount(text(table), key(pk), operation, reason);
  }

  schema([table, attributes], { index }) {
    this.detector.setKeySchema(text(table), attributes.split(','), index);
  }

  observe([operation, status], { model }) {
    const attempt = { operation, status: Number(status), model, ...this.bodies };
    this.bodies = {};
    try {
      return this.detector.observe(attempt);
    } catch (error) {
      if (error instanceof MissingSchemaError) return `missing ${error.table}`;
      if (error instanceof RangeError) return 'invalid';
      throw error;
    }
  }

  unattributed([table, kind, operation]) {
    return this.detector.getUnattributedCount(text(table), kind, operation);
  }

  redacted([table, pk]) {
    return this.detector.redacted(text(table), key(pk));
  }

  hottest([n, operation]) {
    for (const hot of this.detector.hottest(Number(n), operation)) {
      const numbers = ['count', 'throttles', 'demand', 'peak', 'utilisation'].map((name) => `${name}=${hot[name]}`);
      this.seen.hot.push([shown(hot.table), shown(hot.pk), ...numbers, ...carried(hot)]);
    }
  }

  stat([name]) {
    return this.detector.stats()[name];
  }

  clear() {
    this.detector.clear();
  }
}

function cut(line, at) {
  const place = line.indexOf(at);
  return place < 0 ? [line] : [line.slice(0, place), line.slice(place + at.length)];
}

if (existsSync(file)) {
  const scenarios = [];
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, i) => {
      if (line.startsWith('scenario ')) scenarios.push({ name: line.slice(9), steps: [] });
      else if (line !== '' && !line.startsWith('#')) scenarios.at(-1).steps.push([i + 1, line]);
    });
  for (const { name, steps } of scenarios) test(name, () => new Runner().run(steps));
} else {
  test('the shared scenarios', { skip: `skipped: ${file} is not there` }, () => {});
}
