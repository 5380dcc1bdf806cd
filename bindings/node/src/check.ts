// Turns callers' arguments into the library's, or refuses them by a TypeError or a RangeError with the argument's name.

import { types } from 'node:util';
import type { Integer } from './library';

/** A partition key: a bigint, or a number that is a safe integer, counts as its plain decimal text. */
export type Key = string | Uint8Array | bigint | number;
/** A table, an index or a model. */
export type Name = string | Uint8Array;

const HALVES_MAX = 2 ** 52;
const TIME_MAX = 4_294_967_295.999;

/** A kind of value, as an error names it. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

/** An object with members of these names only. */
export function objectOf<T extends object>(argument: string, value: T, names: readonly string[]): T {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${argument} must be an object, not ${kindOf(value)}`);
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${argument} must not have '${unknown}'`);
  }
  return value;
}

/** A copy of the bytes of a text, or of bytes whatever their class says of itself; nothing of anything else. */
export function bytesOf(text: unknown): Buffer | undefined {
  if (typeof text === 'string') {
    return Buffer.from(text);
  }
  return types.isUint8Array(text) ? Buffer.from(new Uint8Array(text).buffer) : undefined;
}

export function nameBytes(argument: string, name: unknown): Uint8Array {
  const bytes = bytesOf(name);
  if (bytes === undefined) {
    throw new TypeError(`${argument} must be a string or a Uint8Array, not ${kindOf(name)}`);
  }
  return bytes;
}

export function keyBytes(pk: unknown): Uint8Array {
  let key = pk;
  if (typeof pk === 'number') {
    if (!Number.isSafeInteger(pk)) {
      throw new RangeError(`pk must be a safe integer, a bigint or a string, not ${pk}`);
    }
    // -0 is 0.
    key = String(pk);
  } else if (typeof pk === 'bigint') {
    key = String(pk);
  }
  const bytes = bytesOf(key);
  if (bytes === undefined) {
    throw new TypeError(`pk must be a string, a Uint8Array, a bigint or a safe integer, not ${kindOf(pk)}`);
  }
  return bytes;
}

/** The name of a model, as requests are observed for. */
export function modelOf(model: unknown): void {
  if (model !== undefined && typeof model !== 'string') {
    throw new TypeError(`model must be a string, not ${kindOf(model)}`);
  }
}

/** An integer from `min` to `max`. */
export function whole(argument: string, value: unknown, min: number, max: number): number {
  const given = nearest(argument, value, min, max);
  if (given !== value) {
    throw new RangeError(`${argument} must be an integer from ${min} to ${max}, not ${value}`);
  }
  return given;
}

/** An integer for a type of the library's that has `min` to `max`, which it refuses as it does what lies beyond. */
export function nearest(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${argument} must be a number, not ${kindOf(value)}`);
  }
  if (Number.isNaN(value) || value !== Math.round(value)) {
    throw new RangeError(`${argument} must be an integer, not ${value}`);
  }
  return Math.max(min, Math.min(value, max));
}

/** A share of a range, in thousandths. */
export function permille(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${argument} must be a number, not ${kindOf(value)}`);
  }
  if (!(value >= min && value <= max)) {
    throw new RangeError(`${argument} must be ${min} to ${max}, not ${value}`);
  }
  return Math.round(value * 1_000);
}

const MEMORY_MIN = 2 ** 16;
const MEMORY_MAX = 2 ** 40;
const MEMORY_TEXT = /^([0-9]{1,15}) *([KMG])iB$/i;
const MEMORY_UNITS: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Memory in bytes: that number itself, or a text such as "8MiB". */
export function memoryOf(value: unknown): number {
  let bytes = value;
  if (typeof value === 'string') {
    const [, n, unit = ''] = MEMORY_TEXT.exec(value) ?? [];
    if (n === undefined) {
      const quoted = JSON.stringify(value);
      throw new RangeError(`memory must be bytes, or a text such as "512KiB", "8MiB" or "1GiB", not ${quoted}`);
    }
    bytes = Number(n) * (MEMORY_UNITS[unit.toUpperCase()] as number);
  }
  if (typeof bytes !== 'number') {
    throw new TypeError(`memory must be a number or a string, not ${kindOf(value)}`);
  }
  if (!Number.isInteger(bytes) || bytes < MEMORY_MIN || bytes > MEMORY_MAX) {
    throw new RangeError(`memory must be ${MEMORY_MIN} to ${MEMORY_MAX} bytes, not ${value}`);
  }
  return bytes;
}

/** Seconds of a manual clock, in milliseconds. */
export function millisecondsOf(seconds: unknown): number {
  if (typeof seconds !== 'number') {
    throw new TypeError(`seconds must be a number, not ${kindOf(seconds)}`);
  }
  if (!(seconds >= 0 && seconds <= TIME_MAX)) {
    throw new RangeError(`seconds must be 0 to ${TIME_MAX}, not ${seconds}`);
  }
  return Math.round(seconds * 1_000);
}

/** An amount, in what the library counts: operations or, in capacity mode, half units. */
export function amountOf(argument: string, value: unknown, capacity: boolean): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${argument} must be a number, not ${kindOf(value)}`);
  }
  const amount = capacity ? value * 2 : value;
  if (!Number.isInteger(amount) || amount < 0 || amount > HALVES_MAX) {
    throw new RangeError(
      capacity
        ? `${argument} must be a positive multiple of half a unit, and at most ${HALVES_MAX / 2}, not ${value}`
        : `${argument} must be a positive integer, and at most ${HALVES_MAX}, not ${value}`,
    );
  }
  return amount;
}

/** A threshold, or `null` for what the next level has. */
export function thresholdOf(argument: string, value: unknown, capacity: boolean): number {
  return value === null || value === undefined ? -1 : amountOf(argument, value, capacity);
}

export function flag(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean' && value !== undefined) {
    throw new TypeError(`${argument} must be a boolean, not ${kindOf(value)}`);
  }
  return value === true;
}

/** The place of a word among those there are. */
export function choice(argument: string, value: unknown, words: readonly string[]): number {
  const place = words.indexOf(value as string);
  if (place < 0) {
    const known = words.map((word) => `'${word}'`).join(', ');
    throw new RangeError(
      `${argument} must be one of ${known}, not ${typeof value === 'string' ? `'${value}'` : kindOf(value)}`,
    );
  }
  return place;
}

/** A count of the library's as this detector's. */
export function counted(count: Integer, capacity: boolean): number {
  return capacity ? Number(count) / 2 : Number(count);
}

/** Text as a string, or the bytes where it is none. */
export function readable(bytes: Buffer): string | Uint8Array {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}
