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
  /** How many partitions are listed for each operation: 10 by default, 100 at most, whatever is asked for. */
  hottest?: number;
  /**
   * Lists all partitions with this demand or more, up to 990 for each operation, and not the hottest. `fleetLeast` works it out
   * for a fleet. With `memory` it must be over the count from which a partition of any table is counted exactly.
   */
  least?: number;
  /**
   * Lists of a partition its demand alone: a fifth of the series. Leave it out with `memory` if demands of several processes are
   * added up: the sum's lower bound needs what is carried.
   */
  demandOnly?: boolean;
  /** Writes OpenMetrics 1.0, and not Prometheus's text format 0.0.4. */
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
 * Returns the `least` for metrics with which processes miss no partition that is hot only in their sum.
 *
 * It is `threshold`, of the sum, divided by `processes` and by `precision`; never less than 1. All that a partition has where it
 * is not listed is then less than `threshold / precision`. So with a precision of 4, if a partition has `threshold`, what is listed
 * of it adds up to three quarters of that or more. A greater precision makes longer lists.
 */
export function fleetLeast(threshold: number, processes: number, precision = 4): number {
  const total = whole('threshold', threshold, 0, Number.MAX_SAFE_INTEGER);
  const parts = whole('processes', processes, 1, UINT32_MAX) * whole('precision', precision, 1, UINT32_MAX);
  return Math.max(Math.floor(total / parts), 1);
}
