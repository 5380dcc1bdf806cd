// A detector's counts as metrics of OpenTelemetry.
//
// Not by observable instruments: the SDK keeps each set of attributes that was ever observed, tells of a partition that has gone
// as if it were there, and after 2,000 sets tells of no other. A producer gives a reader its points as they are.

import type {
  AggregationTemporality,
  CollectionResult,
  DataPoint,
  DataPointType,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { flag, kindOf, objectOf } from './check';
import { HotPartitionDetector } from './detector';
import { Failures } from './failures';
import { type Listed, listedIn, type Sample } from './listed';
import type { MetricsOptions } from './metrics';

/** A point's attributes. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Options of the metrics of a detector. */
export interface ProducerOptions {
  /**
   * Lists all partitions with this demand or more, up to 990 for each operation. `fleetLeast` works it out for a fleet. With
   * `memory`, thresholds that are raised later can make it too little: the 100 hottest are listed then, and that is logged.
   */
  least?: number;
  /** How many partitions are listed for each operation where `least` is not given; 10 by default. */
  hottest?: number;
  /** Whether `hotpart.partition.utilization` is told too: as many series again. */
  utilization?: boolean;
  /** Attributes that all points have besides, such as the region, to tell several detectors apart. */
  attributes?: Attributes;
}

/** Tells a reader of metrics of a detector. */
export interface HotpartProducer extends MetricProducer {
  /** Ends the telling: the next collection has nothing of the detector, which stays open. */
  close(): void;
  [Symbol.dispose](): void;
}

const NAMES = ['least', 'hottest', 'utilization', 'attributes'];
// Of the SDK's enums, which would have to be loaded for these numbers.
const CUMULATIVE = 1 satisfies AggregationTemporality.CUMULATIVE as AggregationTemporality.CUMULATIVE;
const GAUGE = 2 satisfies DataPointType.GAUGE as DataPointType.GAUGE;
const SUM = 3 satisfies DataPointType.SUM as DataPointType.SUM;
const [INT, DOUBLE] = [0, 1];
// The most that a detector lists without `least`.
const HOTTEST_MAX = 100;

type Point = DataPoint<number>;
type Time = Point['startTime'];

/**
 * Makes a producer that tells of the detector whenever a reader collects: give it to a `PeriodicExportingMetricReader` or a
 * `PrometheusExporter` among its `metricProducers`. Keys are hashed if the detector redacts them. What goes wrong in a collection
 * is logged, each kind once. Once the detector is closed, nothing is told. With `memory` a demand may be too high by what is
 * carried, which is not told. So sums of processes are no lower bounds.
 */
export function metricProducer(detector: HotPartitionDetector, options: ProducerOptions = {}): HotpartProducer {
  if (!(detector instanceof HotPartitionDetector)) {
    throw new TypeError(`detector must be a HotPartitionDetector, not ${kindOf(detector)}`);
  }
  const given = objectOf('options', options, NAMES);
  const utilization = flag('utilization', given.utilization);
  const { hottest = 10, least } = given;
  const listing = { hottest, demandOnly: !utilization, ...(least === undefined ? {} : { least }) };
  // What the detector refuses is said here, and not by each collection.
  detector.metrics(listing);
  const common = { 'db.system.name': 'aws.dynamodb', ...given.attributes };
  const start = now();
  let closed = false;
  const metrics = (): MetricData[] => (closed || detector.closed ? [] : metricsOf(detector, listing, common, start));
  const close = () => {
    closed = true;
  };
  return {
    collect: () => Promise.resolve(resultOf(metrics())),
    close,
    [Symbol.dispose]: close,
  };
}

function now(): Time {
  const ms = Date.now();
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1e6];
}

function resultOf(metrics: MetricData[]): CollectionResult {
  const scopeMetrics = metrics.length > 0 ? [{ scope: { name: 'hotpart' }, metrics }] : [];
  // The reader has a resource of its own, and looks at none here.
  const resource = { attributes: {} } as CollectionResult['resourceMetrics']['resource'];
  return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
}

/** Returns what `read` returns, or undefined if it fails: an error would cost the program's other metrics. */
function tried<T>(detector: HotPartitionDetector, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    Failures.of(detector).add(error, undefined, 'metrics could not be collected');
    return undefined;
  }
}

/**
 * Reads the partitions. With `memory`, thresholds that are raised make `least` too little: then these are the hottest, which with
 * the most that others have bound the sums of a fleet as well.
 */
function partitionsOf(detector: HotPartitionDetector, listing: MetricsOptions): Listed {
  try {
    return listedIn(detector.metrics(listing));
  } catch (error) {
    if (listing.least === undefined || !(error instanceof RangeError)) {
      throw error;
    }
    Failures.of(detector).add(error, undefined, `only the ${HOTTEST_MAX} hottest partitions are listed`);
    return listedIn(detector.metrics({ hottest: HOTTEST_MAX, demandOnly: listing.demandOnly ?? false }));
  }
}

/** Reads the detector once for all metrics: bounds hold in one snapshot only. */
function metricsOf(
  detector: HotPartitionDetector,
  listing: MetricsOptions,
  common: Attributes,
  startTime: Time,
): MetricData[] {
  const listed = tried(detector, () => partitionsOf(detector, listing));
  const statistics = tried(detector, () => detector.stats());
  const endTime = now();
  const point = (value: number, attributes: object = {}): Point => ({
    startTime,
    endTime,
    value,
    attributes: { ...common, ...attributes },
  });
  const data = (name: string, unit: string, valueType: number, description: string, dataPoints: Point[]) => ({
    descriptor: { name: `hotpart.${name}`, unit, valueType, description },
    aggregationTemporality: CUMULATIVE,
    dataPoints,
  });
  const gauge = (...given: Parameters<typeof data>): MetricData => ({ ...data(...given), dataPointType: GAUGE });
  const counter = (name: string, unit: string, description: string, points: Point[]): MetricData => ({
    ...data(name, unit, INT, description, points),
    dataPointType: SUM,
    isMonotonic: true,
  });
  const partitions = (samples: Sample[] = []) =>
    samples.map(({ table, pk, operation, value }) =>
      point(value, { 'db.collection.name': table, 'hotpart.partition.key': pk, 'hotpart.operation': operation }),
    );
  const unlisted =
    listed?.unlisted.map(({ operation, value }) => point(value, { 'hotpart.operation': operation })) ?? [];
  const reasons = Object.entries(statistics?.throttles ?? {}).map(([reason, n]) =>
    point(n, { 'hotpart.throttle.reason': reason }),
  );
  const total = (n: number | undefined) => (n === undefined ? [] : [point(n)]);
  const [unit, type] = detector.capacity ? ['{capacity_unit}', DOUBLE] : ['{operation}', INT];
  const demand = 'Operations or units, and throttles, of a partition in the window.';
  const most = 'The most demand that a partition can have which is not listed.';
  const share = "The share of DynamoDB's limit that a partition's fullest second had.";
  return [
    gauge('partition.demand', unit, type, demand, partitions(listed?.demand)),
    gauge('partition.unlisted', unit, type, most, unlisted),
    gauge('partition.utilization', '1', DOUBLE, share, partitions(listed?.utilization)),
    counter('records', '{record}', 'Records made.', total(statistics?.records)),
    counter('warnings', '{warning}', 'Warnings given.', total(statistics?.warnings)),
    counter('throttles', '{throttle}', 'Throttles, by what DynamoDB gave as the reason.', reasons),
    counter(
      'unread',
      '{part}',
      'Statements, and parts of observed requests, that could not be read.',
      total(statistics?.unread),
    ),
  ].filter(({ dataPoints }) => dataPoints.length > 0);
}
