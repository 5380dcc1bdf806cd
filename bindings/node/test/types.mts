// The types, as a type checker sees them. Not run.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type MetricProducer } from '@opentelemetry/sdk-metrics';
import {
  type Bounds,
  type ClosedMinute,
  fleetLeast,
  type HotPartition,
  HotPartitionDetector,
  type HotPartitionWarning,
  instrument,
  type Logger,
  type RecordTo,
  type Statistics,
  uninstrument,
} from 'hotpart';
import { MinuteLines, type MinuteLinesOptions } from 'hotpart/cloudwatch';
import { metricProducer } from 'hotpart/otel';

const logger: Logger = { warn: (line: string) => void line };
const seen: HotPartitionWarning[] = [];
using detector = new HotPartitionDetector({
  writesThreshold: 500,
  readsThreshold: 1_500,
  windowSeconds: 60,
  onWarning: (warning) => seen.push(warning),
  logger,
});
const count: number = detector.recordWrite('events', 'EVENTS');
detector.recordRead(Buffer.from('events'), 7n, { amount: 2, model: 'Event' });
const hot: HotPartition[] = detector.hottest(3, 'write');
const closed: ClosedMinute = detector.hottestClosed('write', 3);
const options: MinuteLinesOptions = { hottest: 100, least: 300, dimensions: { service: 'orders' } };
const lines = new MinuteLines(detector, options);
const flushed: number = lines.flush() + closed.rest;
const handler: (event: { id: string }) => Promise<string> = lines.wrap(async (event: { id: string }) => event.id);
const stats: Statistics = detector.stats();
const { least, most }: Bounds = detector.bounds('events', 'EVENTS', 'read');
const producer: MetricProducer = metricProducer(detector, { least: fleetLeast(60_000, 50) });
const text: string = detector.metrics({ least: fleetLeast(60_000, 50), demandOnly: true });
const load: number = stats.filterLoad + stats.keptOut;
const threshold: number | null = detector.getTableThresholds('events').writes;
HotPartitionDetector.forDynamoDB({ share: 0.8, processes: 4, redact: true, memory: '8MiB' }).close();
new HotPartitionDetector({ writesThreshold: 1, readsThreshold: 1, windowSeconds: 1, memory: 8 * 2 ** 20 }).close();
HotPartitionDetector.attach(detector.share(), { logger: null });

const client: DynamoDBClient = instrument(new DynamoDBClient({}), detector, { tables: { events: ['id'] as const } });
const documents: DynamoDBDocumentClient = instrument(DynamoDBDocumentClient.from(client), detector);
const recordTo: RecordTo = { path: 'recording.jsonl', maxBytes: 2 ** 26, files: 4 };
[recordTo, 'recording.jsonl', process.stdout].forEach((to) => instrument(client, detector, { recordTo: to }));
uninstrument(documents, detector);

// @ts-expect-error: three numbers are required.
new HotPartitionDetector({ writesThreshold: 500, readsThreshold: 1_500 });
// @ts-expect-error: a boolean is no key.
detector.recordWrite('events', true);
// @ts-expect-error: no such operation.
detector.hottest(3, 'delete');
// @ts-expect-error: no number.
detector.metrics({ least: '300' });
// @ts-expect-error: what is internal is not declared.
detector.now;
// @ts-expect-error: no client.
instrument('dynamodb', detector);
// @ts-expect-error: no path and no stream.
instrument(client, detector, { recordTo: 3 });

export { count, flushed, handler, hot, least, load, most, producer, stats, text, threshold };
