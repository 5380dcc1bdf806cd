// Partitions as metrics list them, read from their text.

/** A partition, and what it has. */
export interface Sample {
  readonly table: string;
  readonly pk: string;
  readonly operation: string;
  readonly value: number;
}

/** Partitions that a text for Prometheus lists. So the library chooses them, and the hash that stands for a key. */
export interface Listed {
  readonly demand: Sample[];
  readonly utilization: Sample[];
  /** The most demand that a partition can have which is not listed, by operation; none if nobody knows. */
  readonly unlisted: { readonly operation: string; readonly value: number }[];
}

const PARTITION =
  /^hotpart_partition_(demand|utilisation_ratio)\{table="((?:[^"\\]|\\.)*)",pk="((?:[^"\\]|\\.)*)",operation="([a-z]+)"\} ([^"]+)$/s;
const UNLISTED = /^hotpart_partition_unlisted_most\{operation="([a-z]+)"\} (.+)$/;

export function listedIn(text: string): Listed {
  const listed: Listed = { demand: [], utilization: [], unlisted: [] };
  // Not by expressions of several lines: those end at what a key may have, too.
  for (const line of text.split('\n')) {
    if (!line.startsWith('hotpart_partition_')) {
      continue;
    }
    const [, family, table, pk, operation, value] = PARTITION.exec(line) ?? [];
    if (family !== undefined) {
      const of = family === 'demand' ? listed.demand : listed.utilization;
      of.push({ table: unescaped(table), pk: unescaped(pk), operation: String(operation), value: Number(value) });
    } else {
      const [, of, most] = UNLISTED.exec(line) ?? [];
      if (of !== undefined) {
        listed.unlisted.push({ operation: of, value: Number(most) });
      }
    }
  }
  return listed;
}

/** Takes Prometheus's three escapes out of a label. */
function unescaped(label = ''): string {
  return label.includes('\\') ? label.replace(/\\(.)/gs, (_, c: string) => (c === 'n' ? '\n' : c)) : label;
}
