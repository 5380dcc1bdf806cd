// The library's structs as bytes, laid out as abi.ts says.
//
// koffi could take objects for structs. But in a worker that is being terminated it fails to read an object's members, and does not
// see that; bytes need no reading.

import { endianness } from 'node:os';
import { koffi } from './koffi';

type Kind = 'size' | 'pointer' | 'u64' | 'u32' | 'i32';
/** A member's kind and offset; of several they are the first one's. */
type Place = readonly [Kind, number];
type Value = number | bigint | Uint8Array | null | undefined;

const WIDTHS = { size: 8, pointer: 8, u64: 8, u32: 4, i32: 4 };
const LITTLE = endianness() === 'LE';
const EMPTY = Buffer.alloc(1);

/** Bytes that a call takes, and what they point to. */
export class Bytes<Name extends string> {
  readonly #view: DataView;
  readonly #places: Readonly<Record<string, Place>>;
  /** They live as long as the pointers. */
  readonly #pointed: Uint8Array[] = [];

  constructor(
    readonly bytes: Buffer,
    places: Readonly<Record<string, Place>>,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#places = places;
  }

  /** A number; `i`: which one of several. */
  get(name: Name, i = 0): number {
    return Number(this.pointer(name, i));
  }

  /** A pointer, or another number of 64 bits. */
  pointer(name: Name, i = 0): bigint {
    const { kind, at } = this.#at(name, i);
    switch (kind) {
      case 'u32':
        return BigInt(this.#view.getUint32(at, LITTLE));
      case 'i32':
        return BigInt(this.#view.getInt32(at, LITTLE));
      default:
        return this.#view.getBigUint64(at, LITTLE);
    }
  }

  /** Sets a number, or a pointer to bytes. */
  set(name: Name, value: Value, i = 0): this {
    const { kind, at } = this.#at(name, i);
    if (value instanceof Uint8Array) {
      this.#pointed.push(value);
      this.#view.setBigUint64(at, addressOf(value), LITTLE);
    } else if (kind === 'u32') {
      this.#view.setUint32(at, Number(value), LITTLE);
    } else if (kind === 'i32') {
      this.#view.setInt32(at, Number(value), LITTLE);
    } else {
      this.#view.setBigUint64(at, BigInt(value ?? 0), LITTLE);
    }
    return this;
  }

  /** Sets a text and its length; nothing is NULL, and an empty text is not. */
  setText(name: Name, text: Uint8Array | null): this {
    return this.set(name, text?.length === 0 ? EMPTY : text).set(`${name}_len` as Name, text?.length ?? 0);
  }

  /** To be called after what takes the bytes: until then nothing they point to is given back. */
  release(): void {
    this.#pointed.length = 0;
  }

  #at(name: Name, i: number): { kind: Kind; at: number } {
    const [kind, offset] = this.#places[name] as Place;
    return { kind, at: offset + i * WIDTHS[kind] };
  }
}

/** How a struct is laid out. */
export class Struct<Name extends string> {
  constructor(
    readonly size: number,
    private readonly places: Readonly<Record<Name, Place>>,
  ) {}

  /** Zeros, with the size where the struct has a place for that. */
  make(): Bytes<Name> {
    const made = new Bytes<Name>(Buffer.alloc(this.size), this.places);
    return 'struct_size' in this.places ? made.set('struct_size' as Name, this.size) : made;
  }
}

/** The address of bytes, while they live. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi().address(bytes);
}
