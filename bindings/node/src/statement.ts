// PartiQL as a redacted recording has it: without its values.

/** The text that is written in place of a value. */
export type StandIn = (kind: 'S' | 'N', text: string) => string;

// The tokens that matter. A quote that is not closed goes on to the end, and what begins with a
// digit as far as it may. A minus is a number's own behind what no value ends with.
const TOKENS = new RegExp(
  [
    String.raw`(?<comment>--[^\n\r]*|/\*(?:[^]*?\*/|[^]*))`,
    String.raw`(?<name>"(?:[^"]|"")*"(?!"))`,
    String.raw`(?<attribute>'(?:[^']|'')*'(?!')(?=[ \t-\r]*:))`,
    String.raw`(?<text>'(?:[^']|'')*'(?!')|['"][^]*)`,
    String.raw`(?<word>[A-Za-z_$\u{80}-\u{10FFFF}][\w$\u{80}-\u{10FFFF}]*)`,
    String.raw`(?:(?<space>(?<=[=<>(,\[\{:])[ \t-\r]*)(?<minus>-))?(?<number>\.?\d(?:[eE][+\-]\d|[\w$.\u{80}-\u{10FFFF}])*)`,
  ].join('|'),
  'gu',
);
const BEFORE_TABLE = /^(?:FROM|INTO|UPDATE)$/i;

/** Finds the table that a statement is on: the name after its first FROM, INTO or UPDATE. */
export function tableIn(statement: string): string | undefined {
  let named = false;
  for (const { groups: { comment, name, word } = {} } of statement.matchAll(TOKENS)) {
    if (comment !== undefined) {
      continue;
    }
    if (named && (name ?? word) !== undefined) {
      return name?.slice(1, -1).replaceAll('""', '"') ?? word;
    }
    named = word !== undefined && BEFORE_TABLE.test(word);
  }
  return undefined;
}

/** A statement whose texts and numbers are replaced, and whose comments, which may hold values, are left out. */
export function withoutValues(statement: string, standIn: StandIn): string {
  return statement.replace(TOKENS, (whole, ...given) => {
    const { comment, text, space = '', minus = '', number } = given.at(-1) as Record<string, string | undefined>;
    if (comment !== undefined) {
      return ' ';
    }
    if (text !== undefined) {
      const closed = text.length > 1 && text.startsWith("'") && text.endsWith("'");
      return `'${standIn('S', text.slice(1, closed ? -1 : undefined).replaceAll("''", "'"))}'`;
    }
    return number === undefined ? whole : `${space}'${standIn('N', minus + number)}'`;
  });
}
