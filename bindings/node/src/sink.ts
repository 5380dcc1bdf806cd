// Where recorded lines go: a file of that name, which all who record to it share, or the caller's own stream.

import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { kindOf, objectOf, whole } from './check';
import { RotatingFile } from './rotating';

/** A recording's file. */
export interface RecordingFile {
  /** Its path; the directory must be there. */
  path: string;
  /** How long it gets, in bytes, before it is begun anew; 64 MiB by default. */
  maxBytes?: number;
  /** How many files there are in all, with the older `.1`, `.2` and so on: 1 to 1,000; 4 by default. */
  files?: number;
}

/** Where requests and answers are recorded: a file's path, a file with its limits, or a stream. */
export type RecordTo = string | RecordingFile | Writable;

/** Called with a failure to write. */
export type Failed = (error: unknown) => void;

/** Takes lines for one who records. */
export interface Sink {
  write(line: Buffer): void;
  /** No more lines come from this one. */
  release(): void;
}

const MAX_BYTES = 2 ** 26;
const FILES = 4;
const FILES_MAX = 1_000;
// Bytes that wait to be written at most.
const BACKLOG = 2 ** 24;

/** Checks where a caller wants lines to go, and returns how to begin. To begin fails as the system says. */
export function sinkOf(recordTo: unknown): (failed: Failed) => Sink {
  if (typeof recordTo === 'object' && recordTo !== null && 'write' in recordTo) {
    const stream = recordTo as Writable;
    if (typeof stream.write !== 'function' || typeof stream.on !== 'function') {
      throw new TypeError('recordTo must be a path, an object with a path, or a Writable');
    }
    return (failed) => new Stream(stream, failed);
  }
  if (typeof recordTo !== 'string' && (typeof recordTo !== 'object' || recordTo === null)) {
    throw new TypeError(`recordTo must be a path, an object with a path, or a Writable, not ${kindOf(recordTo)}`);
  }
  const given: RecordingFile = typeof recordTo === 'string' ? { path: recordTo } : (recordTo as RecordingFile);
  const { path, maxBytes = MAX_BYTES, files = FILES } = objectOf('recordTo', given, ['path', 'maxBytes', 'files']);
  if (typeof path !== 'string') {
    throw new TypeError(`path must be a string, not ${kindOf(path)}`);
  }
  if (path === '') {
    throw new RangeError('path must not be empty');
  }
  whole('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
  whole('files', files, 1, FILES_MAX);
  return (failed) => Shared.of(resolve(path), maxBytes, files).user(failed);
}

/** An error of there being no room for another line. */
function full(what: string): Error {
  return new Error(`${what} is too slow: more than ${BACKLOG / 2 ** 20} MiB wait to be written, and lines are dropped`);
}

/** One file, and who records to it. */
class Shared {
  static readonly #all = new Map<string, Shared>();
  readonly #users = new Set<Failed>();
  readonly #file: RotatingFile;

  private constructor(
    private readonly path: string,
    maxBytes: number,
    files: number,
  ) {
    this.#file = new RotatingFile(path, maxBytes, files, (error) => this.#users.forEach((failed) => failed(error)));
  }

  /** The file at a path; who comes last says how long it gets. */
  static of(path: string, maxBytes: number, files: number): Shared {
    const shared = this.#all.get(path) ?? new Shared(path, maxBytes, files);
    [shared.#file.maxBytes, shared.#file.files] = [maxBytes, files];
    this.#all.set(path, shared);
    return shared;
  }

  user(failed: Failed): Sink {
    // A user of its own, though two may have the same function.
    const told: Failed = (error) => failed(error);
    this.#users.add(told);
    return { write: (line) => this.#write(line, failed), release: () => this.#release(told) };
  }

  #write(line: Buffer, failed: Failed): void {
    if (this.#file.waiting + line.length > BACKLOG) {
      failed(full(`'${this.path}'`));
    } else {
      this.#file.write(line);
    }
  }

  #release(told: Failed): void {
    const last = this.#users.size === 1 && this.#users.has(told);
    if (!last) {
      this.#users.delete(told);
      return;
    }
    if (Shared.#all.get(this.path) === this) {
      Shared.#all.delete(this.path);
      // It is told of the last lines, too.
      void this.#file.close().then(() => this.#users.clear());
    }
  }
}

/** A stream of the caller's, who ends it. */
class Stream implements Sink {
  #waiting = 0;
  #released = false;
  readonly #told: Failed = (error) => this.failed(error);

  constructor(
    private readonly stream: Writable,
    private readonly failed: Failed,
  ) {
    // An error that no one listens to would end the process.
    stream.on('error', this.#told);
  }

  write(line: Buffer): void {
    if (this.#waiting + line.length > BACKLOG) {
      this.failed(full('the stream'));
      return;
    }
    if (this.stream.writable === false) {
      this.failed(new Error('the stream that is recorded to has ended'));
      return;
    }
    this.#waiting += line.length;
    this.stream.write(line, () => {
      this.#waiting -= line.length;
      this.#leave();
    });
  }

  release(): void {
    this.#released = true;
    this.#leave();
  }

  /** Listens no more, once all of ours is written; an error comes after what its write calls back. */
  #leave(): void {
    if (this.#released && this.#waiting === 0) {
      setImmediate(() => this.stream.removeListener('error', this.#told)).unref();
    }
  }
}
