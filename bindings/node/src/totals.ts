// A detector's totals as metrics of CloudWatch.

import { kindOf, objectOf } from './check';
import { REASONS } from './library';
import type { Statistics } from './statistics';

// The limits of CloudWatch.
const DIMENSIONS_MAX = 30;
const NAME_MAX = 250;
const VALUE_MAX = 1_024;

type Counts = Readonly<Record<string, number>>;

/** A detector's totals since the line before, in the Embedded Metric Format. */
export class Totals {
  readonly #namespace: string;
  readonly #dimensions: Readonly<Record<string, string>>;
  #before: Counts;

  constructor(namespace: string, dimensions: Readonly<Record<string, string>>, statistics: Statistics) {
    this.#namespace = word('namespace', namespace, NAME_MAX);
    this.#before = countsOf(statistics, 0);
    const names = Object.keys(objectOf('dimensions', dimensions, Object.keys(dimensions ?? {})));
    if (names.length > DIMENSIONS_MAX) {
      throw new RangeError(`dimensions must be ${DIMENSIONS_MAX} at most, not ${names.length}`);
    }
    for (const name of names) {
      word('dimensions', name, NAME_MAX);
      word('dimensions', dimensions[name], VALUE_MAX);
      if (['_aws', 'hotpart', ...Object.keys(this.#before)].includes(name)) {
        throw new RangeError(`dimensions must not have '${name}', which is a member of the line`);
      }
    }
    this.#dimensions = { ...dimensions };
  }

  /** The line; nothing if there is nothing to tell. */
  line(statistics: Statistics, lost: number, now: number): string | undefined {
    const before = this.#before;
    const total = countsOf(statistics, lost);
    this.#before = { ...total, lost_minutes: 0 };
    const since = Object.entries(total).map(([name, n]) => [name, n - (before[name] as number)] as const);
    if (since.every(([, n]) => n === 0)) {
      return undefined;
    }
    const directive = {
      Namespace: this.#namespace,
      Dimensions: [Object.keys(this.#dimensions)],
      Metrics: since.map(([name]) => ({ Name: name, Unit: 'Count' })),
    };
    const metadata = { Timestamp: now, CloudWatchMetrics: [directive] };
    return JSON.stringify({ _aws: metadata, ...this.#dimensions, ...Object.fromEntries(since) });
  }
}

function countsOf(statistics: Statistics, lost: number): Counts {
  const { records, warnings, throttles } = statistics;
  const reasons = REASONS.map((reason) => [`throttles_${reason}`, throttles[reason]]);
  return { records, warnings, ...Object.fromEntries(reasons), lost_minutes: lost };
}

function word(argument: string, value: unknown, most: number): string {
  if (typeof value !== 'string') {
    throw new TypeError(`${argument} must be a string, not ${kindOf(value)}`);
  }
  if (value.length < 1 || value.length > most) {
    throw new RangeError(`${argument} must have 1 to ${most} characters, not ${value.length}`);
  }
  return value;
}
