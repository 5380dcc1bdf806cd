// Bodies of requests and answers without the values in them: each is replaced by what stands for such a key in the
// detector's logs and metrics, so that a recording's partitions are found again there.

import { bytesOf } from './check';
import type { HotPartitionDetector } from './detector';
import type { Attempt } from './exchange';
import { hpd, NUMBER_KEY_MAX } from './library';
import { type Bodies, objectIn } from './line';
import { tableIn, withoutValues } from './statement';

type Json = Record<string, unknown>;

// A longer value can be no key.
const KEY_MAX = 2_048;
const NAME_MAX = 1_024;
const NO_TABLE = '?';
// Members of a body whose own members are called as tables are.
const BY_TABLE = ['RequestItems', 'Responses', 'UnprocessedItems', 'UnprocessedKeys'];
// Members of a request and of its answer that have something for each part of it.
const PARTS = ['TransactItems', 'TransactStatements', 'Statements'];
const BY_PART = ['Responses', 'CancellationReasons'];
const [SCALARS, SETS] = [
  ['S', 'N', 'B'],
  ['SS', 'NS', 'BS'],
];
const KINDS = [...SCALARS, ...SETS];
// A token tells the key that a page ended at, and a message may repeat what was sent.
const TEXTS: Json = { NextToken: '*', message: '', Message: '' };

/** Bodies without values. One that is no JSON object is left out. */
export function redacted(detector: HotPartitionDetector, { request, response }: Attempt): Bodies {
  const redaction = new Redaction(detector);
  const [asked, answered] = [request, response].map((body) => objectIn(bytesOf(body) ?? Buffer.alloc(0)));
  // Before the request is changed.
  const { whole, parts } = tablesOf(asked ?? {});
  const codes = codesIn(answered ?? {});
  return {
    request: redaction.body(asked, NO_TABLE, []),
    response: redaction.body(answered, whole, parts, codes),
  };
}

class Redaction {
  constructor(private readonly detector: HotPartitionDetector) {}

  /** A body as JSON. Its table and its parts' are these where it does not say; these texts in it stay. */
  body(body: Json | undefined, table: string, parts: readonly string[], codes: Json = {}): string {
    if (body === undefined) {
      return 'null';
    }
    const own = ownTable(body) ?? table;
    for (const [name, value] of Object.entries(body)) {
      if (BY_TABLE.includes(name) && isObject(value)) {
        Object.entries(value).forEach(([of, each]) => this.#walk(each, nameIn(of)));
      } else if (BY_PART.includes(name) && Array.isArray(value)) {
        value.forEach((each, i) => this.#walk(each, parts[i] ?? own));
      } else {
        this.#member(body, name, value, own);
      }
    }
    return JSON.stringify(Object.assign(body, codes));
  }

  #walk(value: unknown, table: string): void {
    if (Array.isArray(value)) {
      value.forEach((each) => this.#walk(each, table));
    } else if (isObject(value) && !this.#attribute(value, table)) {
      const own = ownTable(value) ?? table;
      Object.entries(value).forEach(([name, each]) => this.#member(value, name, each, own));
    }
  }

  #member(of: Json, name: string, value: unknown, table: string): void {
    if (isObject(value)) {
      this.#walk(value, table);
    } else if (KINDS.includes(name) && value !== null) {
      // Of a value that DynamoDB takes for none.
      of[name] = '*';
    } else if (Array.isArray(value)) {
      this.#walk(value, table);
    } else if (typeof value === 'string' && name === 'Statement') {
      of[name] = withoutValues(value, (kind, text) => this.#standIn(table, kind, text));
    } else if (typeof value === 'string' && name in TEXTS) {
      of[name] = TEXTS[name];
    }
  }

  /** Changes an attribute's value in its place. False: it is none, or a list or a map. */
  #attribute(value: Json, table: string): boolean {
    const [kind = '', ...others] = Object.keys(value);
    const content = others.length === 0 ? value[kind] : undefined;
    if (SCALARS.includes(kind) && typeof content === 'string') {
      delete value[kind];
      value['S'] = this.#standIn(table, kind, content);
    } else if (SETS.includes(kind) && Array.isArray(content) && content.every((each) => typeof each === 'string')) {
      delete value[kind];
      value['SS'] = content.map((each: string) => this.#standIn(table, kind.charAt(0), each));
    } else {
      return false;
    }
    return true;
  }

  /** The hash that stands for a value. */
  #standIn(table: string, kind: string, text: string): string {
    const key = keyOf(kind, text);
    if (key.length === 0 || key.length > KEY_MAX) {
      return '*'.repeat(key.length);
    }
    return this.detector.redacted(utf8(table), key) as string;
  }
}

/** A key as the library counts it. */
function keyOf(kind: string, text: string): Buffer {
  const raw = utf8(text);
  if (kind === 'N') {
    const key = Buffer.alloc(NUMBER_KEY_MAX);
    const n: number = hpd.numberKey(raw, raw.length, key);
    return n > 0 ? key.subarray(0, n) : raw;
  }
  if (kind === 'B') {
    const bytes = Buffer.from(text, 'base64');
    // Node reads whatever there is of it.
    return unpadded(bytes.toString('base64')) === unpadded(text) ? bytes : raw;
  }
  return raw;
}

const unpadded = (base64: string): string => base64.replace(/=+$/, '');

/** The table of a request, and those of its parts. */
function tablesOf(request: Json): { whole: string; parts: string[] } {
  const parts = PARTS.map((name) => request[name]).find(Array.isArray) ?? [];
  return { whole: ownTable(request) ?? NO_TABLE, parts: parts.map(tableOfPart) };
}

/** The table of a statement, or of what is asked for by a part's only member. */
function tableOfPart(part: unknown): string {
  const inner = isObject(part) ? Object.values(part).find(isObject) : undefined;
  return (isObject(part) ? ownTable(part) : undefined) ?? ownTable(inner ?? {}) ?? NO_TABLE;
}

/** The table that an object says its members are of. */
function ownTable({ TableName, Statement }: Json): string | undefined {
  if (typeof TableName === 'string') {
    return nameIn(TableName);
  }
  return typeof Statement === 'string' ? nameIn(tableIn(Statement) ?? '') : undefined;
}

/** A table's name, which may come as an ARN. What can be no name stands for none. */
function nameIn(table: string): string {
  const name = /^arn:.*?:table\/([^/]*)/s.exec(table)?.[1] ?? table;
  const { length } = utf8(name);
  return length > 0 && length <= NAME_MAX ? name : NO_TABLE;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An answer's messages that list codes, which may be all that tells of a transaction's parts. */
function codesIn(answer: Json): Json {
  const canceled = String(answer['__type']).includes('TransactionCanceledException');
  const names = ['message', 'Message'].filter((name) => canceled && typeof answer[name] === 'string');
  return Object.fromEntries(names.map((name) => [name, answer[name]]));
}

/** A text's bytes; those of a lone surrogate, which UTF-8 does not have, are as the library has them. */
function utf8(text: string): Buffer {
  if (!/\p{Surrogate}/u.test(text)) {
    return Buffer.from(text);
  }
  const bytes = Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    const lone = character.length === 1 && (code & 0xf800) === 0xd800;
    return lone
      ? Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
      : Buffer.from(character);
  });
  return Buffer.concat(bytes);
}
