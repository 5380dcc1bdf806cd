// The statistics and the hottest partitions as text for Prometheus.

import { hpd, METRICS_OPEN_METRICS, MetricsOptions, outOf, type Pointer, textOf } from './library';
import { checked } from './status';

export function metricsOf(detector: Pointer, hottest: number, openMetrics: boolean): string {
  const options = MetricsOptions.make()
    .set('hottest', hottest)
    .set('flags', openMetrics ? METRICS_OPEN_METRICS : 0);
  const [status, text] = outOf((out) => hpd.metricsTake(detector, options.bytes, out));
  checked(status);
  return textOf(text);
}
