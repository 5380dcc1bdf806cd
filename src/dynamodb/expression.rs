//! The tokens of DynamoDB's expressions: names, values and marks. A key condition and an update
//! expression are both read from these.

/// Words that DynamoDB reserves and that would otherwise pass for a name.
const RESERVED: [&str; 5] = ["AND", "BETWEEN", "IN", "NOT", "OR"];

/// Cuts an expression into marks, names and words, and values with their colon. `#p=:v AND n < :m`
/// has the tokens `#p`, `=`, `:v`, `AND`, `n`, `<` and `:m`.
pub(crate) struct Tokens<'a>(pub(crate) &'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        // A mark is one token even without space around it; `<=` and `>=` are one.
        let len = match rest.as_bytes() {
            [b'<' | b'>', b'=', ..] => 2,
            [b':', ..] => 1 + word(&rest[1..]),
            [] => return None,
            _ => word(rest).max(1),
        };
        let (token, rest) = rest.split_at(len);
        self.0 = rest;
        Some(token)
    }
}

/// Returns both tokens, if they are a name and a value.
pub(crate) fn pair<'a>(name: &'a str, value: &'a str) -> Option<(&'a str, &'a str)> {
    (is_name(name) && is_value(value)).then_some((name, value))
}

/// Returns whether a token may name an attribute, itself or by a `#placeholder`.
fn is_name(token: &str) -> bool {
    !token.starts_with(mark) && token != "#" && !RESERVED.iter().any(|word| token.eq_ignore_ascii_case(word))
}

/// Returns whether a token is a `:placeholder`.
fn is_value(token: &str) -> bool {
    token.len() > 1 && token.starts_with(':')
}

/// Returns whether a character is in no name. Nothing else is asked of names: DynamoDB checks them.
fn mark(c: char) -> bool {
    matches!(c, '(' | ')' | '=' | '<' | '>' | ',' | ':')
}

/// Returns how many bytes there are before the next whitespace or mark.
fn word(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || mark(c)).unwrap_or(text.len())
}
