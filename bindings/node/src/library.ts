// Finds and loads `libhotpart`, and declares what it has, as abi.ts says.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { ABI_VERSION, PROTOTYPES } from './abi';
import { LibraryError } from './errors';
import { BUNDLED, koffi } from './koffi';
import { Struct } from './struct';

export * from './abi';

/** A number of the library's: a bigint where it is no safe integer. */
export type Integer = number | bigint;
/** A function of the library's. */
export type Native = (...given: any[]) => any;
/** An address; 0n is NULL. */
export type Pointer = bigint;

/** Where a function writes one value. */
export const Out = new Struct(8, { value: ['u64', 0] });

/** The names of the attributes of a key, and their lengths. */
export const KeyAttributes = new Struct(64, { names: ['pointer', 0], lens: ['size', 32] });

function path(): string {
  const chosen = process.env['HOTPART_LIBRARY'];
  if (chosen) {
    // Without a folder the loader would look elsewhere.
    return resolve(chosen);
  }
  const name = { darwin: 'libhotpart.dylib', win32: 'hotpart.dll' }[process.platform as string] ?? 'libhotpart.so';
  // A module of ECMAScript has no __dirname, which a bundle may have become.
  const here = typeof __dirname === 'string' ? __dirname : '.';
  return join(here, '..', 'native', `${process.platform}-${process.arch}`, name);
}

/** The library's functions by their names without the prefix. */
type Functions = Record<keyof typeof PROTOTYPES | 'memcpy', Native>;

function load(): Functions {
  const at = path();
  const advice =
    'install the package anew, or set HOTPART_LIBRARY to the path of a build for this platform, ' +
    "which `make build` in libhotpart's repository leaves in target/release";
  if (!existsSync(at)) {
    throw new LibraryError(`there is no libhotpart at ${at}: ${advice}; ${BUNDLED}`);
  }
  let library: import('koffi').LibraryHandle;
  let version: number;
  try {
    library = koffi().load(at);
    version = library.func(PROTOTYPES.abiVersion)();
  } catch (error) {
    throw new LibraryError(`libhotpart at ${at} can't be loaded (${(error as Error).message}): ${advice}`);
  }
  if (version !== ABI_VERSION) {
    throw new LibraryError(`libhotpart at ${at} has ABI ${version}, and ${ABI_VERSION} is needed: ${advice}`);
  }
  try {
    const functions = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]);
    return Object.fromEntries([...functions, ['memcpy', copier()]]) as Functions;
  } catch (error) {
    throw new LibraryError(`libhotpart at ${at} is too old (${(error as Error).message}): ${advice}`);
  }
}

/** The C library's own function. */
function copier(): Native {
  return koffi()
    .load(process.platform === 'win32' ? 'ucrtbase.dll' : null)
    .func('void *memcpy(void *to, uintptr_t from, size_t n)');
}

/**
 * The functions, all of which are loaded when one is first read. While a worker loads them it must
 * not be terminated: koffi ends the process then. So those that only import this are safe.
 */
function atFirstUse(): Functions {
  const functions = {} as Functions;
  const own = { configurable: true, enumerable: true };
  for (const name of [...Object.keys(PROTOTYPES), 'memcpy'] as (keyof Functions)[]) {
    const get = () => {
      Object.entries(load()).forEach(([each, value]) => Object.defineProperty(functions, each, { ...own, value }));
      return functions[name];
    };
    Object.defineProperty(functions, name, { ...own, get });
  }
  return functions;
}

export const hpd = isMainThread ? load() : atFirstUse();

/** Loads the library, if it is not loaded yet. */
export function loaded(): void {
  void hpd.memcpy;
}

/**
 * A copy of the library's bytes; its texts are read by pointer and length, for they may hold NUL. Not by koffi's own means: in a
 * worker that is being terminated those end the process.
 */
export function bytesAt(pointer: Pointer, len: number): Buffer {
  const bytes = Buffer.alloc(len);
  if (len > 0) {
    hpd.memcpy(bytes, pointer, len);
  }
  return bytes;
}

/** The text of an `hpd_text`, which is freed. */
export function textOf(text: Pointer): string {
  return textBytes(text).toString();
}

/** The bytes of an `hpd_text`, which is freed. */
export function textBytes(text: Pointer): Buffer {
  try {
    return bytesAt(hpd.textData(text), Number(hpd.textLen(text)));
  } finally {
    hpd.textFree(text);
  }
}

/** Has a function write a pointer; returns what it returned, and the pointer. */
export function outOf(call: (out: Buffer) => Integer): [status: Integer, pointer: Pointer] {
  const out = Out.make();
  return [call(out.bytes), out.pointer('value')];
}

/** The version of the `libhotpart` that is in use, such as "0.1.0". */
export function libraryVersion(): string {
  return hpd.version();
}
