//! The lexer of PartiQL: a statement's text in, its tokens out.
//!
//! `WHERE "id" = 'it''s' AND n >= ?` has the tokens `Word(WHERE)`, `Name(id)`, `Symbol(=)`,
//! `Text(it's)`, `Word(AND)`, `Word(n)`, `Symbol(>=)` and `Parameter(0)`.

use std::borrow::Cow;

/// A token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A name in double quotes. A quote in it is doubled.
    Name(Cow<'a, str>),
    /// A text in single quotes. A quote in it is doubled.
    Text(Cow<'a, str>),
    /// A number without its sign.
    Number(&'a str),
    /// A `?`, and how many of them come before it.
    Parameter(usize),
    /// A value that was left out, as a log does it.
    Redacted,
    Symbol(&'a str),
    End,
    /// Text that is no token.
    Unreadable,
}

/// Cuts a statement into tokens.
pub(crate) struct Lexer<'a> {
    pub(crate) text: &'a str,
    /// The position of the next token, or of the whitespace before it.
    at: usize,
    /// The number of `?` before `at`.
    parameters: usize,
}

/// The text that a log has in place of a value.
const REDACTED: &str = "***(Redacted)";

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, parameters: 0 }
    }

    /// Reads the next token, and returns it with its position; `None` if there is text that is no
    /// token.
    pub(crate) fn next(&mut self) -> Option<(Token<'a>, usize)> {
        self.skip_whitespace()?;
        let start = self.at;
        let token = match self.rest() {
            [] => Token::End,
            [b'\'', ..] => Token::Text(self.quoted("'", "''")?),
            [b'"', ..] => Token::Name(self.quoted("\"", "\"\"")?),
            [b'?', ..] => {
                self.parameters += 1;
                self.take(1);
                Token::Parameter(self.parameters - 1)
            }
            rest if rest.starts_with(REDACTED.as_bytes()) => {
                self.take(REDACTED.len());
                Token::Redacted
            }
            [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => Token::Number(self.number()?),
            // A word may not begin with a digit, which was looked for before.
            [first, ..] if in_word(*first) => Token::Word(self.take_while(in_word)),
            [b'<', b'=' | b'>' | b'<', ..]
            | [b'>', b'=' | b'>', ..]
            | [b'!', b'=', ..]
            | [b'|', b'|', ..] => Token::Symbol(self.take(2)),
            [first, ..] if b"()[]{}<>=,.:;*/%+-".contains(first) => Token::Symbol(self.take(1)),
            _ => return None,
        };
        Some((token, start))
    }

    /// Returns the text that is not read yet.
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Takes the next `len` bytes.
    fn take(&mut self, len: usize) -> &'a str {
        let taken = &self.text[self.at..self.at + len];
        self.at += len;
        taken
    }

    /// Takes bytes as long as they are `part` of it.
    fn take_while(&mut self, part: fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        self.take(rest.iter().position(|byte| !part(*byte)).unwrap_or(rest.len()))
    }

    /// Goes past whitespace and comments. `None`: a comment has no end.
    fn skip_whitespace(&mut self) -> Option<()> {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace() || byte == b'\x0B');
            match self.rest() {
                [b'-', b'-', ..] => {
                    self.take_while(|byte| byte != b'\n' && byte != b'\r');
                }
                [b'/', b'*', ..] => {
                    let len = self.text[self.at + 2..].find("*/")?;
                    self.take(len + 4);
                }
                _ => return Some(()),
            }
        }
    }

    /// Reads the text between a quote and the next that is not doubled.
    fn quoted(&mut self, quote: &str, doubled: &str) -> Option<Cow<'a, str>> {
        self.take(1);
        let (text, mut len) = (&self.text[self.at..], 0);
        loop {
            len += text[len..].find(quote)?;
            if !text[len..].starts_with(doubled) {
                break;
            }
            len += 2;
        }
        let body = self.take(len);
        self.take(1);
        Some(if body.contains(quote) { body.replace(doubled, quote).into() } else { body.into() })
    }

    /// Reads a number without a sign, such as `7`, `.5` or `1.50E+3`. A letter right behind it
    /// makes it none.
    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.take_while(|byte| byte.is_ascii_digit());
        if self.rest().starts_with(b".") {
            self.take(1);
            self.take_while(|byte| byte.is_ascii_digit());
        }
        match self.rest() {
            [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] => {
                self.take(2);
            }
            [b'e' | b'E', b'0'..=b'9', ..] => {
                self.take(1);
            }
            _ => {}
        }
        self.take_while(|byte| byte.is_ascii_digit());
        let end = !self.rest().first().is_some_and(|byte| in_word(*byte));
        end.then(|| &self.text[start..self.at])
    }
}

/// Returns whether a bare name or keyword may have this byte; all that is not ASCII may be in one.
fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// Returns the bracket that closes what `opener` opens.
pub(crate) fn closing_bracket(opener: &str) -> Option<&'static str> {
    Some(match opener {
        "(" => ")",
        "[" => "]",
        "{" => "}",
        "<<" => ">>",
        _ => return None,
    })
}
