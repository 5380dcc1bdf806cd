// Asks for the capacity in a request that does not ask for all of it. In its answer the caller gets
// back what the request would have had without that.

import { isText, type Request, withBody } from './answer';
import { bytesOf } from './check';
import { hpd, outOf, textBytes } from './library';

/** The capacity that a request's caller asked for. */
export type Asked = 'NONE' | 'TOTAL';

/** The arguments that a middleware is called with. */
export interface Args {
  request: Request;
  input?: { readonly ClientRequestToken?: unknown };
  /** The caller's own wish, of a request that asks for more because of us. */
  [ASKED]?: Asked;
}

const ASKED = Symbol('hotpart.asked');
// In JSON only a member of that name matches: within a text the quotes are escaped. And no
// attribute of that name has a text for its value.
const TOTAL = /(?<!\\)("ReturnConsumedCapacity"\s*:\s*)"TOTAL"/g;
// The members that INDEXES shows beside the total.
const DETAILS = ['Table', 'LocalSecondaryIndexes', 'GlobalSecondaryIndexes'];

/**
 * A call whose request asks for all; nothing if it is to be sent as it is: it asks for all already,
 * or its operation does not tell, or its caller gave a token. By that DynamoDB knows a transaction
 * that comes twice, and with other parameters refuses it.
 */
export function asking(args: Args): (Args & { readonly [ASKED]: Asked }) | undefined {
  const { headers, body } = args.request;
  const operation = headers['x-amz-target'];
  if (operation === undefined || !isText(body) || (args.input?.ClientRequestToken ?? null) !== null) {
    return undefined;
  }
  const given = bytesOf(body) as Buffer;
  const total = askingForAll(operation, given);
  const all = total ?? asked(operation, given);
  return all && { ...args, request: withBody(args.request, all), [ASKED]: total ? 'TOTAL' : 'NONE' };
}

/** The request of one who asks for the total alone. */
function askingForAll(operation: string, given: Buffer): Buffer | undefined {
  if (!given.includes('"TOTAL"')) {
    return undefined;
  }
  // A character a byte, whatever it is.
  const text = given.toString('latin1');
  const all = text.replace(TOTAL, '$1"INDEXES"');
  const tells = all !== text && asked(operation, Buffer.from('{}')) !== undefined;
  return tells ? Buffer.from(all, 'latin1') : undefined;
}

/** The request of one who asks for nothing. */
function asked(operation: string, given: Buffer): Buffer | undefined {
  const name = Buffer.from(operation);
  const [asks, text] = outOf((out) => hpd.askCapacity(name, name.length, given, given.length, out));
  return asks === 1 ? textBytes(text) : undefined;
}

/** Leaves in an answer what its caller asked for. To do so again changes nothing. */
export function giveBack({ [ASKED]: asked }: Args, output: Record<string, unknown> | undefined): void {
  if (asked === undefined || output === undefined) {
    return;
  }
  const { ConsumedCapacity: consumed } = output;
  if (asked === 'NONE') {
    delete output['ConsumedCapacity'];
  } else if (consumed !== undefined) {
    output['ConsumedCapacity'] = Array.isArray(consumed) ? consumed.map(total) : total(consumed);
  }
}

/** One table's capacity as TOTAL shows it. */
function total(consumed: unknown): unknown {
  if (typeof consumed !== 'object' || consumed === null) {
    return consumed;
  }
  return Object.fromEntries(Object.entries(consumed).filter(([name]) => !DETAILS.includes(name)));
}
