// A worker that holds a shared detector, and does with it what it is told to.

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { HotPartitionDetector } from 'hotpart';

const KEYS = 20;
const { shared, what, records } = workerData;
const warned = [];
const detector = HotPartitionDetector.attach(shared, {
  logger: null,
  onWarning: ({ pk, count }) => warned.push({ pk, count }),
});
if (what === 'record') {
  for (let n = 0; n < records; n++) detector.recordWrite('t', `k${n % KEYS}`);
  parentPort.postMessage(warned);
  detector.close();
} else if (what === 'forever') {
  parentPort.postMessage('started');
  for (let n = 0; ; n++) {
    detector.recordRead('t', `${n}`);
    detector.recordWrite('t', 'k0', { amount: 2 });
    detector.observe({ operation: 'ListTables', request: '{}' });
    if (n % 100 === 0) [detector.hottest(3), detector.stats(), detector.metrics(), detector.getTableThresholds('t')];
  }
} else {
  parentPort.postMessage('started');
  await once(parentPort, 'message');
  parentPort.postMessage(detector.recordWrite('t', 'k0'));
  detector.close();
  parentPort.close();
}
