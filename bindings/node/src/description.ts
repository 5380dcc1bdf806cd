// Describes a table by a client's own means.
//
// The caller's SDK may be of any version, loaded twice, bundled, or of another realm: from here no
// `import` finds it for certain. So the client's own commands are used, which an attempt brings
// along. One of them is sent with the body and the name of DescribeTable: serializer, endpoint,
// retries, signature and handler are the client's.

import { type Request, withBody } from './answer';

/** Facts about a call that the SDK tells its middleware. */
export interface Context {
  commandName?: string;
  inputFilterSensitiveLog?: unknown;
  outputFilterSensitiveLog?: unknown;
  readonly __smithy_context?: { readonly commandInstance?: object; readonly abortSignal?: AbortSignal };
}

type Handler = (args: { input: object; request: Request }) => Promise<unknown>;

interface Stack {
  clone(): Stack;
  add(middleware: (next: Handler, context: Context) => Handler, options: object): void;
}

interface Command {
  readonly input: object;
  resolveMiddleware(stack: object, config: object, options: object): (command: Command) => Promise<unknown>;
}

const NAME = 'DescribeTable';
const same = (value: unknown): unknown => value;

/** The SDK's own class of a command: one that a caller made of it may take what it likes. */
function ownOf(command: object | undefined): (new (input: object) => Command) | undefined {
  let of: unknown;
  for (let is = command; is !== undefined && is !== null; is = Object.getPrototypeOf(is) as object) {
    if (Object.hasOwn(is, 'resolveMiddleware')) {
      of = is.constructor;
    }
  }
  return of as (new (input: object) => Command) | undefined;
}

/**
 * Sends DescribeTable. What watches the client sees its attempts, and so the detector learns.
 * `context` is that of any request of the client; its abort signal is not heeded, as others need
 * the description too.
 */
export async function describeTable(
  client: { readonly config: object; readonly middlewareStack: object },
  { __smithy_context: known }: Context,
  TableName: string,
): Promise<void> {
  const of = ownOf(known?.commandInstance);
  if (of === undefined) {
    throw new TypeError('the SDK does not tell its command');
  }
  const stack = (client.middlewareStack as Stack).clone();
  const body = Buffer.from(JSON.stringify({ TableName }));
  stack.add(
    (next, context) => {
      // What traces and logs calls has it under its own name.
      context.commandName = `${NAME}Command`;
      context.inputFilterSensitiveLog = context.outputFilterSensitiveLog = same;
      return next;
    },
    { name: 'hotpart-describe-name', step: 'initialize', priority: 'high', override: true },
  );
  stack.add(
    (next) => (args) => {
      const target = Object.keys(args.request.headers).find((name) => name.toLowerCase() === 'x-amz-target');
      const service = target === undefined ? '' : args.request.headers[target]?.replace(/[^.]*$/, '');
      const headers = { [target ?? 'x-amz-target']: `${service}${NAME}` };
      return next({ ...args, request: withBody(args.request, body, headers) });
    },
    { name: 'hotpart-describe', step: 'serialize', priority: 'low', override: true },
  );
  const command = new of({ TableName });
  await command.resolveMiddleware(stack, client.config, {})(command);
}
