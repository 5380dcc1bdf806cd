// A detector that the library has made, and who is told of its warnings.

import { objectOf } from './check';
import { Clock } from './clock';
import { Handle, type SharedDetector } from './handle';
import { CLOCK_MANUAL, FLAG_CAPACITY, hpd, loaded, outOf } from './library';
import {
  type DetectorOptions,
  type DynamoDBOptions,
  forDynamoDB,
  type ListenerOptions,
  listenerOf,
  type NativeOptions,
  withThresholds,
} from './options';
import { checked } from './status';
import type { Listener } from './warning';

export class Made {
  private constructor(
    readonly handle: Handle,
    readonly listener: Listener,
  ) {}

  static of(options: DetectorOptions): Made {
    return Made.#by(withThresholds(options), options);
  }

  static forDynamoDB(options: DynamoDBOptions): Made {
    return Made.#by(forDynamoDB(options), options);
  }

  static attached(shared: SharedDetector, options: ListenerOptions): Made {
    const listener = listenerOf(objectOf('options', options, ['onWarning', 'logger']));
    // Before it is held: this may fail.
    loaded();
    return new Made(Handle.attach(shared), listener);
  }

  static #by(native: NativeOptions, options: ListenerOptions): Made {
    const listener = listenerOf(options);
    const start = native.get('clock') === CLOCK_MANUAL ? null : Clock.starting();
    const [status, detector] = outOf((out) => hpd.newWithOptions(native.bytes, out));
    checked(status, options);
    const handle = Handle.first(detector, {
      capacity: (native.get('flags') & FLAG_CAPACITY) !== 0,
      windowSeconds: native.get('window_seconds'),
      always: native.get('warning_interval_seconds') === 0,
      bounded: native.get('filter_bytes') > 0,
      start,
    });
    return new Made(handle, listener);
  }
}
