// The statistics and the hottest partitions as text for Prometheus.

import { amountOf, flag, objectOf, whole } from './check';
import {
  hpd,
  METRICS_DEMAND_ONLY,
  METRICS_OPEN_METRICS,
  MetricsOptions as Native,
  outOf,
  type Pointer,
  textOf,
} from './library';
import { checked } from './status';

const UINT32_MAX = 2 ** 32 - 1;

/** Which metrics are written, and in which format. */
export interface MetricsOptions {
  /** How many partitions of each operation: 10 by default, 100 at most, whatever is asked for. */
  hottest?: number;
  /**
   * All partitions whose demand is at least this, and not the hottest: up to 990 of each operation. `fleetLeast` works it out for
   * a fleet. With `memory` it must be over the count from which partitions are counted exactly.
   */
  least?: number;
  /** Of a partition its demand alone: a fifth of the series. */
  demandOnly?: boolean;
  /** In OpenMetrics 1.0, and not in Prometheus's text format. */
  openMetrics?: boolean;
}

/** Options as the library takes them. */
export function metricsOptions(options: MetricsOptions, capacity: boolean): ReturnType<typeof Native.make> {
  const given = objectOf('options', options, ['hottest', 'least', 'demandOnly', 'openMetrics']);
  const native = Native.make().set('hottest', whole('hottest', given.hottest ?? 10, 0, UINT32_MAX));
  const { least } = given;
  if (least !== undefined) {
    const amount = amountOf('least', least, capacity);
    if (amount === 0) {
      // The library's word for none.
      throw new RangeError(`least must be more than 0, not ${least}`);
    }
    native.set('least', amount);
  }
  const demand = flag('demandOnly', given.demandOnly) ? METRICS_DEMAND_ONLY : 0;
  return native.set('flags', demand | (flag('openMetrics', given.openMetrics) ? METRICS_OPEN_METRICS : 0));
}

export function metricsOf(options: ReturnType<typeof metricsOptions>, detector: Pointer): string {
  const [status, text] = outOf((out) => hpd.metricsTake(detector, options.bytes, out));
  checked(status);
  return textOf(text);
}

/**
 * The `least` of metrics by which no partition is missed that is hot in the sum of many processes alone.
 *
 * A partition that has `threshold` in all `processes` together has that share of it in one of them at least. Listed from a
 * `precision`-th of that share on, the lists of all add up to within a `precision`-th of `threshold` of the truth. A greater
 * precision makes longer lists. Never less than 1.
 */
export function fleetLeast(threshold: number, processes: number, precision = 4): number {
  const total = whole('threshold', threshold, 0, Number.MAX_SAFE_INTEGER);
  const parts = whole('processes', processes, 1, UINT32_MAX) * whole('precision', precision, 1, UINT32_MAX);
  return Math.max(Math.floor(total / parts), 1);
}
