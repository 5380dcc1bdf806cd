// Worker threads share a detector by its handle.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ClosedError, HotPartitionDetector } from 'hotpart';

// As the worker has them.
const KEYS = 20;

const make = () =>
  new HotPartitionDetector({ writesThreshold: 1_000, readsThreshold: 10 ** 9, windowSeconds: 3_600, logger: null });
function start(shared, what, records = 0) {
  const worker = new Worker(new URL('./support/worker.mjs', import.meta.url), {
    workerData: { shared, what, records },
  });
  worker.ended = once(worker, 'exit').then(([code]) => code);
  return worker;
}
const told = async (worker) => (await once(worker, 'message'))[0];

test('nothing is lost, and each key is warned of once, by the worker that recorded', async () => {
  const records = 50_000;
  const detector = make();
  const workers = Array.from({ length: 4 }, () => start(detector.share(), 'record', records));
  const warned = (await Promise.all(workers.map(told))).flat();
  for (let n = 0; n < records; n++) detector.recordRead('t', 'main');
  for (const worker of workers) assert.equal(await worker.ended, 0);
  const counts = Array.from({ length: KEYS }, (_, n) => detector.getWriteCount('t', `k${n}`));
  assert.equal(
    counts.reduce((a, b) => a + b),
    4 * records,
  );
  assert.equal(detector.getReadCount('t', 'main'), records);
  assert.deepEqual(warned.map(({ pk }) => pk).sort(), Array.from({ length: KEYS }, (_, n) => `k${n}`).sort());
  // Of records that reach the threshold at a time, any may be the one that warns. Each worker is inside one at most.
  for (const { pk, count } of warned) assert.ok(count >= 1_000 && count < 1_000 + workers.length, `${pk}: ${count}`);
  detector.close();
});

test('the last one that closes frees it', async () => {
  const detector = make();
  const shared = detector.share();
  const worker = start(shared, 'wait');
  await told(worker);
  detector.recordWrite('t', 'k0');
  detector.close();
  worker.postMessage('go on');
  assert.equal(await told(worker), 2, 'it goes on with the counts that were there');
  assert.equal(await worker.ended, 0);
  assert.throws(() => HotPartitionDetector.attach(shared), ClosedError);
});

test('a worker that is terminated crashes nothing', async () => {
  // Every read warns, which reads the library's texts.
  const detector = new HotPartitionDetector({
    writesThreshold: 10 ** 9,
    readsThreshold: 1,
    windowSeconds: 60,
    maxPartitions: 1_000,
    logger: null,
  });
  for (let n = 0; n < 12; n++) {
    const worker = start(detector.share(), 'forever');
    await told(worker);
    await sleep(n);
    await worker.terminate();
  }
  assert.ok(detector.recordWrite('t', 'k0') > 0);
  detector.close();
});

test('what is refused when attaching holds nothing', () => {
  const detector = make();
  const shared = detector.share();
  assert.throws(() => HotPartitionDetector.attach(shared, { logger: 7 }), /^TypeError: logger/);
  assert.throws(() => HotPartitionDetector.attach(shared, null), /^TypeError: options/);
  assert.throws(() => HotPartitionDetector.attach(shared, { loger: null }), /^TypeError: options/);
  assert.throws(
    () => HotPartitionDetector.attach({ ...shared, handles: new SharedArrayBuffer(3) }),
    /^TypeError: shared/,
  );
  assert.throws(() => Object.assign(shared, { address: 0n }), TypeError);
  detector.close();
  assert.throws(() => HotPartitionDetector.attach(shared), ClosedError);
});

test('many workers that attach and are terminated', async () => {
  const detector = make();
  let left = 100;
  const one = async () => {
    while (left-- > 0) {
      const worker = start(detector.share(), 'forever');
      await told(worker);
      await sleep(left % 10);
      await worker.terminate();
    }
  };
  await Promise.all([one(), one(), one(), one()]);
  assert.ok(detector.getWriteCount('t', 'k0') > 0);
  assert.ok(detector.stats().bytes < 2 ** 24, 'they leave nothing behind but their handles');
  detector.close();
});

test('workers that import the package and are terminated, whenever that is', () => {
  // In a process of its own: koffi would end it.
  const program = `
    const { once } = require('node:events');
    const { Worker } = require('node:worker_threads');
    require(process.argv[1]);
    const one = async (n) => {
      const options = { workerData: process.argv[1], eval: true };
      const code = "require(require('node:worker_threads').workerData); setInterval(() => {}, 1_000)";
      const worker = new Worker(code, options);
      await once(worker, 'online');
      await new Promise((resolve) => setTimeout(resolve, n % 30));
      await worker.terminate();
    };
    (async () => {
      for (let n = 0; n < 210; n += 3) await Promise.all([one(n), one(n + 1), one(n + 2)]);
      console.log('goes on');
    })();
  `;
  const packaged = createRequire(import.meta.url).resolve('hotpart');
  const run = spawnSync(process.execPath, ['--eval', program, packaged], { encoding: 'utf8' });
  assert.deepEqual([run.stdout, run.signal], ['goes on\n', null], run.stderr);
});
