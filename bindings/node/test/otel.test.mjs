// A detector's counts as metrics of OpenTelemetry, by the real SDK: read in memory, by Prometheus, and over OTLP by a collector.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as listen } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OTLPMetricExporter as Json } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { HotPartitionDetector } from 'hotpart';
import { metricProducer } from 'hotpart/otel';

const DYNAMODB = { 'db.system.name': 'aws.dynamodb' };
const LOST = 60_000;

const made = (options) =>
  new HotPartitionDetector({
    writesThreshold: 1e6,
    readsThreshold: 1e6,
    windowSeconds: 60,
    manualClock: true,
    logger: null,
    ...options,
  });

class InMemory extends MetricReader {
  async onShutdown() {}
  async onForceFlush() {}
}

/** Metrics that a reader reads of producers. */
function inMemory(...metricProducers) {
  const reader = new InMemory({ metricProducers });
  const provider = new MeterProvider({ readers: [reader] });
  const metrics = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    assert.deepEqual(errors, []);
    return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  };
  const points = async (name) => {
    const of = (await metrics()).filter(({ descriptor }) => descriptor.name === name);
    return of.flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [attributes, value]));
  };
  const keys = async () => (await points('hotpart.partition.demand')).map(([of]) => of['hotpart.partition.key']).sort();
  return { provider, metrics, points, keys };
}

test('names, units and attributes', async () => {
  const detector = made({ writesThreshold: 3 });
  const { metrics, points } = inMemory(metricProducer(detector, { least: 2 }));
  detector.recordWrite('events', 'a', { amount: 3 });
  detector.recordWrite('events', 'b');
  detector.recordThrottle('events', 'a');
  detector.forgetTable('unknown');
  const request = '{"TableName":"unknown","Item":{"id":{"S":"a"}}}';
  detector.observe({ operation: 'PutItem', request, response: '{}', status: 200 });
  assert.deepEqual(await points('hotpart.partition.demand'), [
    [{ ...DYNAMODB, 'db.collection.name': 'events', 'hotpart.partition.key': 'a', 'hotpart.operation': 'write' }, 4],
  ]);
  assert.deepEqual(await points('hotpart.partition.unlisted'), [
    [{ ...DYNAMODB, 'hotpart.operation': 'write' }, 1],
    [{ ...DYNAMODB, 'hotpart.operation': 'read' }, 0],
  ]);
  assert.deepEqual(await points('hotpart.records'), [[DYNAMODB, 2]]);
  assert.deepEqual(await points('hotpart.warnings'), [[DYNAMODB, 1]]);
  const throttles = (await points('hotpart.throttles')).map(([of, n]) => [of['hotpart.throttle.reason'], n]);
  assert.deepEqual(Object.fromEntries(throttles), detector.stats().throttles);
  const told = (await metrics()).map(({ descriptor, isMonotonic }) => [descriptor.name, descriptor.unit, isMonotonic]);
  assert.deepEqual(told, [
    ['hotpart.partition.demand', '{operation}', undefined],
    ['hotpart.partition.unlisted', '{operation}', undefined],
    ['hotpart.records', '{record}', true],
    ['hotpart.warnings', '{warning}', true],
    ['hotpart.throttles', '{throttle}', true],
    ['hotpart.unread', '{part}', true],
  ]);
  assert.deepEqual(await points('hotpart.unread'), [[DYNAMODB, 1]]);
});

test('capacity is in units, and utilization told where it is asked for', async () => {
  const detector = HotPartitionDetector.forDynamoDB({ manualClock: true, logger: null });
  const { metrics, points } = inMemory(metricProducer(detector, { least: 0.5, utilization: true }));
  detector.recordWrite('events', 'a', { amount: 500.5 });
  const [[, demand]] = await points('hotpart.partition.demand');
  const [[of, share]] = await points('hotpart.partition.utilization');
  assert.deepEqual([demand, share, of['hotpart.partition.key']], [500.5, 0.5, 'a']);
  const units = (await metrics()).slice(0, 3).map(({ descriptor }) => descriptor.unit);
  assert.deepEqual(units, ['{capacity_unit}', '{capacity_unit}', '1']);
});

test('sets that are stale are gone', async () => {
  const detector = made();
  const { keys } = inMemory(metricProducer(detector));
  for (const [now, ...written] of [[0, 'a', 'b'], [61, 'b', 'c'], [122]]) {
    detector.setTime(now);
    written.forEach((pk) => detector.recordWrite('t', pk));
    assert.deepEqual(await keys(), written);
  }
});

test('990 sets of each operation are the most', async () => {
  const detector = made();
  const { points } = inMemory(metricProducer(detector, { least: 2 }));
  for (let n = 1; n <= 1_500; n++) {
    detector.recordWrite('t', n, { amount: n });
    detector.recordRead('t', n, { amount: n });
  }
  const found = await points('hotpart.partition.demand');
  assert.deepEqual([found.length, Math.min(...found.map(([, n]) => n))], [1_980, 511]);
  assert.ok(!found.some(([of]) => 'otel.metric.overflow' in of));
  assert.deepEqual(
    (await points('hotpart.partition.unlisted')).map(([, most]) => most),
    [510, 510],
  );
});

test('keys are redacted where the detector does so', async () => {
  const detector = made({ redact: Buffer.from('0123456789abcdef') });
  const { keys } = inMemory(metricProducer(detector));
  detector.recordWrite('t', 'secret');
  assert.deepEqual(await keys(), [detector.redacted('t', 'secret')]);
});

test('keys are told as the library writes them', async () => {
  for (const [pk, told] of [
    ['a"b', 'a"b'],
    ['a\nb', 'a\nb'],
    ['a\\b', 'a\\x5Cb'],
    ['a\\nb', 'a\\x5Cnb'],
    ['\r\u2028\x85\0', '\\x0D\u2028\\xC2\\x85\\x00'],
    ['\u2028hotpart_partition_demand{table="t",pk="k",operation="read"} 9'],
    [Buffer.from([0xff]), '\\xFF'],
    ['",operation="read"} 9'],
    [''],
    ['schlüssel 🔥'],
  ]) {
    const detector = made();
    const { keys } = inMemory(metricProducer(detector));
    detector.recordWrite('t', pk);
    assert.deepEqual(await keys(), [told ?? pk]);
  }
});

test('a collection reads the detector once', async () => {
  const detector = made();
  const { metrics } = inMemory(metricProducer(detector, { utilization: true }));
  const calls = [];
  for (const name of ['metrics', 'stats']) {
    const real = detector[name];
    detector[name] = (...given) => (calls.push(name), real.apply(detector, given));
  }
  await metrics();
  await metrics();
  assert.deepEqual(calls, ['metrics', 'stats', 'metrics', 'stats']);
});

test('what comes and goes takes no sets from what is there', async () => {
  const detector = made();
  const { keys } = inMemory(metricProducer(detector, { least: 2 }));
  for (let minute = 0; minute < 5; minute++) {
    detector.setTime(minute * 61);
    for (let n = 0; n < 990; n++) {
      detector.recordWrite('t', `${minute}-${n}`, { amount: 2 });
    }
    const found = await keys();
    assert.equal(found.length, 990);
    assert.ok(found.every((pk) => pk.startsWith(`${minute}-`)));
  }
});

test('detectors are told apart, and end apart', async () => {
  const detectors = { eu: made(), us: made() };
  const producers = Object.entries(detectors).map(([region, detector]) =>
    metricProducer(detector, { attributes: { 'cloud.region': region } }),
  );
  const { points, keys } = inMemory(...producers);
  const records = async () => (await points('hotpart.records')).map(([of, n]) => [of['cloud.region'], n]);
  detectors.us.recordWrite('t', 'k');
  assert.deepEqual(await records(), [
    ['eu', 0],
    ['us', 1],
  ]);
  assert.deepEqual(await keys(), ['k']);
  producers[1].close();
  assert.deepEqual([await records(), await keys()], [[['eu', 0]], []]);
  producers[0][Symbol.dispose]();
  assert.deepEqual(await records(), []);
});

test('a failure costs nothing but itself, and is logged once', async () => {
  const lines = [];
  const [broken, whole] = [made({ logger: { warn: (line) => lines.push(line) } }), made()];
  const { provider, points, keys } = inMemory(metricProducer(broken), metricProducer(whole));
  provider.getMeter('own').createCounter('own').add(1);
  whole.recordWrite('t', 'k');
  broken.metrics = () => {
    throw new RangeError('there is none');
  };
  for (let n = 0; n < 3; n++) {
    assert.deepEqual([await keys(), await points('own')], [['k'], [[{}, 1]]]);
    assert.equal((await points('hotpart.records')).length, 2);
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^hotpart: metrics could not be collected: there is none/);
  assert.equal(broken.stats().failures, 9);
});

test('thresholds that are raised later cost no metrics', async () => {
  const lines = [];
  const logger = { warn: (line) => lines.push(line) };
  const detector = made({ writesThreshold: 4_000, readsThreshold: 4_000, memory: '1MiB', logger, onWarning: () => {} });
  const { points, keys } = inMemory(metricProducer(detector, { least: 1_100 }));
  detector.recordWrite('t', 'hot', { amount: 3_000 });
  detector.recordThrottle('t', 'hot', 'write', 'key_range');
  // From here on 1,100 is not over what is counted exactly.
  detector.setTableThresholds('t', { writes: 8_000, reads: 8_000 });
  for (let n = 0; n < 3; n++) {
    assert.deepEqual(await keys(), ['hot']);
    const unlisted = await points('hotpart.partition.unlisted');
    assert.ok(unlisted.length === 2 && unlisted.every(([, most]) => most >= 1_999), JSON.stringify(unlisted));
    assert.deepEqual(await points('hotpart.records'), [[DYNAMODB, 1]]);
    assert.equal((await points('hotpart.throttles')).length, 5);
  }
  assert.equal(lines.length, 1);
  assert.match(
    lines[0],
    /^hotpart: only the 100 hottest partitions are listed: least must be more than the count from/,
  );
});

test('with a bound on partitions the most that is unlisted is not told', async () => {
  const detector = made({ maxPartitions: 100 });
  const { points, keys } = inMemory(metricProducer(detector, { least: 2 }));
  detector.recordWrite('t', 'k', { amount: 2 });
  assert.deepEqual([await keys(), await points('hotpart.partition.unlisted')], [['k'], []]);
});

test('a closed detector is told of no more', async () => {
  const detector = made({ logger: { warn: assert.fail } });
  const { points, keys } = inMemory(metricProducer(detector));
  detector.recordWrite('t', 'k');
  assert.deepEqual(await keys(), ['k']);
  detector.close();
  assert.deepEqual([await keys(), await points('hotpart.records')], [[], []]);
});

test('what is wrong with the options is named', () => {
  for (const [options, name, message] of [
    [{ least: 0 }, 'RangeError', /^least/],
    [{ least: '1' }, 'TypeError', /^least/],
    [{ hottest: -1 }, 'RangeError', /^hottest/],
    [{ utilization: 1 }, 'TypeError', /^utilization/],
    [{ most: 1 }, 'TypeError', /^options must not have 'most'/],
  ]) {
    assert.throws(() => metricProducer(made(), options), { name, message });
  }
  assert.throws(() => metricProducer('detector'), { name: 'TypeError', message: /^detector must be/ });
  const bounded = made({ writesThreshold: 1_000, readsThreshold: 1_000, memory: '1MiB' });
  const message = /^least must be more than the count from which/;
  assert.throws(() => metricProducer(bounded, { least: 250 }), { name: 'RangeError', message });
});

test('CommonJS has it too', () => {
  const program = `const { metricProducer } = require('hotpart/otel'); console.log(typeof metricProducer)`;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  assert.equal(execFileSync(process.execPath, ['-e', program], { cwd, encoding: 'utf8' }), 'function\n');
});

/** As one of a fleet: a detector, and the SDK that sends what is told of it. */
function sending(t, exporter, id) {
  const resource = resourceFromAttributes({ 'service.name': 'shop', 'service.instance.id': id });
  const detector = made();
  const metricProducers = [metricProducer(detector, { least: 2 })];
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30, metricProducers });
  const provider = new MeterProvider({ readers: [reader], resource });
  t.after(() => provider.shutdown().catch(() => {}));
  return { detector, send: () => provider.forceFlush() };
}

test('the OTLP that is sent', async (t) => {
  const received = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) {
      parts.push(part);
    }
    received.push(JSON.parse(Buffer.concat(parts)));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((listening) => server.once('listening', listening));
  const url = `http://127.0.0.1:${server.address().port}/v1/metrics`;
  const { detector, send } = sending(t, new Json({ url, keepAlive: false }), 'one');
  const seen = [];
  for (const [now, ...written] of [
    [0, 'a', 'b'],
    [61, 'b', 'c'],
  ]) {
    detector.setTime(now);
    written.forEach((pk) => detector.recordWrite('events', pk, { amount: 7 }));
    await send();
    const [{ resource, scopeMetrics }] = received.pop().resourceMetrics;
    const attributes = (of) => Object.fromEntries(of.map(({ key, value }) => [key, value.stringValue]));
    assert.equal(attributes(resource.attributes)['service.instance.id'], 'one');
    const { unit, gauge } = scopeMetrics[0].metrics.find(({ name }) => name === 'hotpart.partition.demand');
    assert.equal(unit, '{operation}');
    seen.push(gauge.dataPoints.map((p) => [attributes(p.attributes)['hotpart.partition.key'], Number(p.asInt)]).sort());
  }
  assert.deepEqual(seen, [
    [
      ['a', 7],
      ['b', 7],
    ],
    [
      ['b', 7],
      ['c', 7],
    ],
  ]);
});

test('the exporter for Prometheus writes the same names', async () => {
  const detector = made();
  const port = await freePort();
  const exporter = new PrometheusExporter({ port, host: '127.0.0.1', metricProducers: [metricProducer(detector)] });
  const provider = new MeterProvider({ readers: [exporter] });
  detector.recordWrite('events', 'a"b\n');
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await provider.shutdown();
  const labels = 'hotpart_operation="write"';
  assert.match(text, /^hotpart_partition_demand\{.*hotpart_partition_key="a\\"b\\n",.*\} 1/m);
  assert.match(text, new RegExp(`^hotpart_partition_unlisted\\{.*${labels}.*\\} 0`, 'm'));
  assert.match(text, /^hotpart_records_total\{.*\} 1/m);
});

async function freePort() {
  const probe = listen().listen(0, '127.0.0.1');
  await new Promise((listening) => probe.once('listening', listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

// ci/node.sh, and so CI, says where it is.
const collector = process.env.HOTPART_OTELCOL;
test('a collector tells processes apart', { skip: !collector, timeout: LOST }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpart-'));
  const [taken, scraped] = [await freePort(), await freePort()];
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${taken}` } } } },
    exporters: { prometheus: { endpoint: `127.0.0.1:${scraped}` } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { metrics: { receivers: ['otlp'], exporters: ['prometheus'] } },
    },
  };
  const [file, log] = [join(directory, 'otelcol.yml'), join(directory, 'log')];
  writeFileSync(file, JSON.stringify(config));
  writeFileSync(log, '');
  const command = `exec '${collector}' --config 'file:${file}' >'${log}' 2>&1`;
  const child = spawn('sh', ['-c', command], { stdio: 'ignore' });
  t.after(async () => {
    const ended = new Promise((exit) => child.once('exit', exit));
    child.kill();
    await ended;
    rmSync(directory, { recursive: true });
  });
  const get = async () => (await fetch(`http://127.0.0.1:${scraped}/metrics`)).text();
  while ((await get().catch(() => null)) === null) {
    assert.equal(child.exitCode, null, readFileSync(log, 'utf8'));
    await sleep(100);
  }
  for (const [id, amount] of Object.entries({ one: 3, two: 4 })) {
    const url = `http://127.0.0.1:${taken}/v1/metrics`;
    const { detector, send } = sending(t, new OTLPMetricExporter({ url, keepAlive: false }), id);
    detector.recordWrite('events', 'EVENTS', { amount });
    detector.recordThrottle('events', 'EVENTS');
    await send();
  }
  let text;
  const line = (name, labels) =>
    text.split('\n').find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
  do {
    text = await get();
  } while (!line('hotpart_partition_demand', ['instance="two"']));
  for (const [id, demand] of Object.entries({ one: 4, two: 5 })) {
    const where = ['job="shop"', `instance="${id}"`];
    const partition = ['db_collection_name="events"', 'hotpart_partition_key="EVENTS"', 'hotpart_operation="write"'];
    assert.match(line('hotpart_partition_demand', [...where, ...partition]), new RegExp(` ${demand}$`));
    assert.match(line('hotpart_partition_unlisted', [...where, 'hotpart_operation="write"']), / 0$/);
    assert.match(line('hotpart_throttles_total', [...where, 'hotpart_throttle_reason="key_range"']), / 1$/);
  }
});
