//! Statements without the values that are spelled out in them, for recordings.
//!
//! It knows tokens alone, so a statement that can't be read loses its values too. In doubt more is
//! taken for a value: a quote that is not closed, and anything that begins with a digit, go on as
//! far as they may.

/// The kind of a piece of a statement, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Comment,
    /// A name in double quotes.
    Name,
    /// A text in single quotes before a colon: an attribute's name.
    Attribute,
    /// A text in single quotes, or everything from a quote that is not closed.
    Text,
    Word,
    /// A number, with a minus that is part of it.
    Number,
    Other,
}

/// Cuts a statement into pieces. Each begins where the one before ends, so together they are the
/// whole.
struct Pieces<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (Kind, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        let bytes = rest.as_bytes();
        let (kind, len) = match bytes {
            [] => return None,
            [b'-', b'-', ..] => (Kind::Comment, length(rest, |byte| byte != b'\n' && byte != b'\r')),
            [b'/', b'*', ..] => (Kind::Comment, rest[2..].find("*/").map_or(rest.len(), |len| len + 4)),
            [quote @ (b'"' | b'\''), ..] => match (quote, closed(bytes)) {
                (_, None) => (Kind::Text, rest.len()),
                (b'"', Some(len)) => (Kind::Name, len),
                (_, Some(len)) if rest[len..].trim_start_matches(is_space).starts_with(':') => {
                    (Kind::Attribute, len)
                }
                (_, Some(len)) => (Kind::Text, len),
            },
            [b'-', ..] if self.is_value_next() && number(&bytes[1..]) > 0 => {
                (Kind::Number, 1 + number(&bytes[1..]))
            }
            _ if number(bytes) > 0 => (Kind::Number, number(bytes)),
            [first, ..] if in_word(*first) => (Kind::Word, length(rest, in_word)),
            _ => (Kind::Other, 1),
        };
        self.at += len;
        Some((kind, &rest[..len]))
    }
}

impl Pieces<'_> {
    /// Returns whether a minus here belongs to a number, and does not stand between two.
    fn is_value_next(&self) -> bool {
        let before = self.text[..self.at].trim_end_matches(is_space);
        before.ends_with(['=', '<', '>', '(', ',', '[', '{', ':'])
    }
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0B'
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// Returns how many bytes at the beginning are `part` of a piece.
fn length(text: &str, part: fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !part(byte)).unwrap_or(text.len())
}

/// Returns the length of a text that begins with a quote, up to the next quote that is not doubled.
fn closed(text: &[u8]) -> Option<usize> {
    let quote = text[0];
    let mut at = 1;
    loop {
        at += text[at..].iter().position(|byte| *byte == quote)? + 1;
        if text.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// Returns the length of a number without its sign; 0 if none is here.
fn number(text: &[u8]) -> usize {
    if !matches!(text, [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..]) {
        return 0;
    }
    let mut len = 1;
    loop {
        len += match &text[len..] {
            [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] => 3,
            [byte, ..] if in_word(*byte) || *byte == b'.' => 1,
            _ => return len,
        };
    }
}

/// A value that a statement spells out.
pub(crate) enum Literal<'a> {
    Text(&'a str),
    Number(&'a str),
}

/// Returns a statement with what `stand_in` returns, in single quotes, in place of each literal.
/// Comments become spaces, as they may quote a value.
pub(crate) fn redact(statement: &str, mut stand_in: impl FnMut(Literal<'_>) -> String) -> String {
    let mut redacted = String::with_capacity(statement.len());
    for (kind, piece) in (Pieces { text: statement, at: 0 }) {
        let value = match kind {
            Kind::Comment => {
                redacted.push(' ');
                continue;
            }
            Kind::Name | Kind::Attribute | Kind::Word | Kind::Other => {
                redacted.push_str(piece);
                continue;
            }
            Kind::Number => stand_in(Literal::Number(piece)),
            Kind::Text => {
                let is_closed = piece.starts_with('\'') && closed(piece.as_bytes()).is_some();
                let text = if is_closed { &piece[1..piece.len() - 1] } else { &piece[1..] };
                stand_in(Literal::Text(&text.replace("''", "'")))
            }
        };
        redacted.push('\'');
        redacted.push_str(&value);
        redacted.push('\'');
    }
    redacted
}

/// Returns the name of the table that a statement is on: the one after its first `FROM`, `INTO` or
/// `UPDATE`.
pub(crate) fn table(statement: &str) -> Option<String> {
    let mut is_named = false;
    for (kind, piece) in (Pieces { text: statement, at: 0 }) {
        match kind {
            Kind::Comment => continue,
            Kind::Other if piece.starts_with(is_space) => continue,
            Kind::Name if is_named => return Some(piece[1..piece.len() - 1].replace("\"\"", "\"")),
            Kind::Word if is_named => return Some(piece.to_owned()),
            _ => {}
        }
        is_named = kind == Kind::Word
            && ["FROM", "INTO", "UPDATE"].iter().any(|word| piece.eq_ignore_ascii_case(word));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(statement: &str) -> String {
        redact(statement, |literal| match literal {
            Literal::Text(text) => format!("T({text})"),
            Literal::Number(number) => format!("N({number})"),
        })
    }

    #[test]
    fn literals_go_and_names_stay() {
        let cases = [
            (
                "SELECT a1 FROM \"it's\" WHERE a='x' AND b = 'it''s'",
                "SELECT a1 FROM \"it's\" WHERE a='T(x)' AND b = 'T(it's)'",
            ),
            (
                "a = 1 AND b=-1.50E+3 OR c IN [ -1,.5 ]",
                "a = 'N(1)' AND b='N(-1.50E+3)' OR c IN [ 'N(-1)','N(.5)' ]",
            ),
            ("SET n = n - 1, m = n-1", "SET n = n - 'N(1)', m = n-'N(1)'"),
            ("VALUE {'id' : 'x', \"n\": <<1>>}", "VALUE {'id' : 'T(x)', \"n\": <<'N(1)'>>}"),
            ("a -- it's\n= /* 'x' */ ''", "a  \n=   'T()'"),
            ("a = 'x", "a = 'T(x)'"),
            ("a = \"x'", "a = 'T(x')'"),
            ("a = 'x''", "a = 'T(x')'"),
            ("a = '", "a = 'T()'"),
            ("/* x", " "),
            ("1é.2 \u{a0}é", "'N(1é.2)' \u{a0}é"),
        ];
        cases
            .iter()
            .for_each(|(statement, expected)| assert_eq!(redacted(statement), *expected, "{statement}"));
    }

    #[test]
    fn a_table_is_named_after_a_word() {
        let cases = [
            ("SELECT * FROM events.by_user WHERE a = 1", Some("events")),
            ("select 'FROM x' from /* y */ \"a\"\"b\".\"i\"", Some("a\"b")),
            ("INSERT INTO\n\"arn:x\" VALUE {}", Some("arn:x")),
            ("update _t SET a = 1", Some("_t")),
            ("EXISTS(SELECT * FROM t)", Some("t")),
            ("SELECT 1", None),
            ("FROM 'x' t", None),
        ];
        cases.iter().for_each(|(text, name)| assert_eq!(table(text).as_deref(), *name, "{text}"));
    }
}
