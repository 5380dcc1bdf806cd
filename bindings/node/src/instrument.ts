// Which clients of the AWS SDK are watched, and for whom.

import { flag, kindOf, modelOf, objectOf } from './check';
import { HotPartitionDetector } from './detector';
import { ClosedError } from './errors';
import { Recorder } from './recorder';
import { type RecordTo, sinkOf } from './sink';
import { unwatch, Watcher } from './watcher';

/** A client of `@aws-sdk/client-dynamodb` or a document client of `@aws-sdk/lib-dynamodb`. */
export interface DynamoDBLike {
  readonly config: object;
  readonly middlewareStack: { add(middleware: never, options: never): void; remove(middleware: never): boolean };
  send(command: never): Promise<unknown>;
}

export interface InstrumentOptions {
  /**
   * Whether DescribeTable is called for a table whose key schema is needed and was not seen in
   * traffic: once, again after a pause if it fails, and never again where it is denied. True by
   * default.
   */
  describe?: boolean;
  /**
   * Key schemas that are known: a table's partition key, `{ events: 'pk' }`, and those of its indexes, `{ 'events/index/by_user':
   * 'user' }`, of several attributes as an array.
   */
  tables?: Readonly<Record<string, string | readonly string[]>>;
  /** The model that the client's records are made for. */
  model?: string;
  /**
   * Where each attempt is recorded, its request and its answer in one line of JSON, for the command `hotpart`: a file,
   * or a stream that the caller ends. Where the detector redacts keys each value of an attribute is a hash; else the lines
   * hold all that was sent and answered.
   */
  recordTo?: RecordTo;
}

/**
 * Makes a client tell `detector` of every request to DynamoDB. A document client and the client beneath it are watched together,
 * whichever is given. No request's result changes, and no error in here reaches the caller: each kind is logged once. To instrument
 * a client again with the same detector changes the options. Returns `client` itself.
 *
 * For a detector of capacity requests ask for all of ReturnConsumedCapacity, and callers get what they asked for. A transaction
 * whose caller gave a ClientRequestToken is left as it is.
 *
 * A wrong argument is a `TypeError` or a `RangeError` that names it; a file that can't be opened is the system's error.
 */
export function instrument<C extends DynamoDBLike>(
  client: C,
  detector: HotPartitionDetector,
  options: InstrumentOptions = {},
): C {
  checkClient(client);
  if (!(detector instanceof HotPartitionDetector)) {
    throw new TypeError(`detector must be a HotPartitionDetector, not ${kindOf(detector)}`);
  }
  if (detector.closed) {
    throw new ClosedError();
  }
  const given = objectOf('options', options, ['describe', 'tables', 'model', 'recordTo']);
  const { describe, tables = {}, model, recordTo } = given;
  if (typeof tables !== 'object' || tables === null) {
    throw new TypeError(`tables must be an object, not ${kindOf(tables)}`);
  }
  modelOf(model);
  if (model !== undefined) {
    // Refuses what can be no model's name, before each request would.
    detector.getModelThresholds(model);
  }
  const describes = describe === undefined || flag('describe', describe);
  const begin = recordTo === undefined ? undefined : sinkOf(recordTo);
  for (const [table, attributes] of Object.entries(tables)) {
    const [name, index] = table.split('/index/', 2) as [string, string?];
    if (index === '') {
      throw new RangeError(`tables must have names of indexes that are not empty, not '${table}'`);
    }
    detector.setKeySchema(name, attributes, index);
  }
  // A file that can't be opened is refused before anything is changed at the client.
  const recorder = begin === undefined ? undefined : new Recorder(detector, begin);
  new Watcher(client, detector, describes, model, recorder).start();
  return client;
}

/** Undoes `instrument`, for one detector or for all. Returns `client`. */
export function uninstrument<C extends DynamoDBLike>(client: C, detector?: HotPartitionDetector): C {
  checkClient(client);
  if (detector !== undefined && !(detector instanceof HotPartitionDetector)) {
    throw new TypeError(`detector must be a HotPartitionDetector, not ${kindOf(detector)}`);
  }
  unwatch(client, detector);
  return client;
}

function checkClient(client: unknown): void {
  const { config, middlewareStack } = (client ?? {}) as { config?: { serviceId?: unknown }; middlewareStack?: unknown };
  if (config?.serviceId !== 'DynamoDB' || typeof middlewareStack !== 'object') {
    throw new TypeError(`client must be a DynamoDBClient or a DynamoDBDocumentClient, not ${kindOf(client)}`);
  }
}
