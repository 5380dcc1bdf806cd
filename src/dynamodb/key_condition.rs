//! Key conditions: the equalities in a `KeyConditionExpression`.
//!
//! The grammar is small: conditions joined by AND, each of them a comparison with `=`, `<`, `<=`,
//! `>` or `>=`, a `BETWEEN`, or a `begins_with`. Parentheses may enclose any of it. OR and NOT are
//! not allowed.

use crate::dynamodb::expression::{Tokens, pair};
use std::iter::Peekable;

/// Returns the equalities of a key condition, each as an attribute's name (or its `#placeholder`)
/// and a value's `:placeholder`. Other conditions are read and passed over. `None` if the
/// expression is malformed. `#p = :v AND begins_with(sk, :s)` comes to `[("#p", ":v")]`.
///
/// Parentheses are only counted. Conditions are joined by nothing but AND, so it does not matter
/// which of them a pair encloses, and no depth needs a stack.
pub(crate) fn equalities(expression: &str) -> Option<Vec<(&str, &str)>> {
    let mut tokens = Tokens(expression).peekable();
    let mut found = Vec::new();
    let mut open = 0_usize;
    loop {
        // Parentheses that open stand before a condition.
        while tokens.next_if_eq(&"(").is_some() {
            open += 1;
        }
        found.extend(condition(&mut tokens)?);
        // Those that close stand behind it; one too many ends it all.
        while tokens.next_if_eq(&")").is_some() {
            open = open.checked_sub(1)?;
        }
        // Then comes AND, or the end.
        match tokens.next() {
            None => return (open == 0).then_some(found),
            Some(and) => keyword(and, "AND")?,
        }
    }
}

/// Reads one condition. Returns its name and value if it is an equality, `Some(None)` for any
/// other, and `None` for none. The second token tells the kind.
fn condition<'a>(tokens: &mut Peekable<Tokens<'a>>) -> Option<Option<(&'a str, &'a str)>> {
    let left = tokens.next()?;
    match tokens.next()? {
        "=" => {
            // Either side may be the value: `:v = pk`.
            let right = tokens.next()?;
            return pair(left, right).or_else(|| pair(right, left)).map(Some);
        }
        "<" | "<=" | ">" | ">=" => {
            let right = tokens.next()?;
            pair(left, right).or_else(|| pair(right, left))?;
        }
        // `begins_with ( path , value )`.
        "(" => {
            keyword(left, "begins_with")?;
            let path = tokens.next()?;
            tokens.next_if_eq(&",")?;
            pair(path, tokens.next()?)?;
            tokens.next_if_eq(&")")?;
        }
        // `path BETWEEN value AND value`. This AND joins no conditions.
        between => {
            keyword(between, "BETWEEN")?;
            pair(left, tokens.next()?)?;
            keyword(tokens.next()?, "AND")?;
            pair(left, tokens.next()?)?;
        }
    }
    Some(None)
}

/// Demands that a token is this word, in capitals or not.
fn keyword(token: &str, word: &str) -> Option<()> {
    token.eq_ignore_ascii_case(word).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equalities_are_found() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("pk = :v", &[("pk", ":v")]),
            (":v = pk", &[("pk", ":v")]),
            ("pk=:v", &[("pk", ":v")]),
            (":v=pk", &[("pk", ":v")]),
            ("\t#p\r\n =\u{a0}:v ", &[("#p", ":v")]),
            ("#p = :v AND begins_with(sk, :s)", &[("#p", ":v")]),
            ("BEGINS_WITH ( sk,:s )and pk=:v", &[("pk", ":v")]),
            ("(:v = pk) and (sk BETWEEN :a AND :b)", &[("pk", ":v")]),
            ("sk between :a aNd :b And pk = :v", &[("pk", ":v")]),
            ("pk = :v AND sk = :s", &[("pk", ":v"), ("sk", ":s")]),
            ("(((pk=:v)and((sk=:s))))", &[("pk", ":v"), ("sk", ":s")]),
            ("(pk=:v)AND(sk>=:s)", &[("pk", ":v")]),
            ("a=:a AND b=:b AND c=:c AND d<:d", &[("a", ":a"), ("b", ":b"), ("c", ":c")]),
            ("sk < :s", &[]),
            ("sk <= :s", &[]),
            ("sk > :s", &[]),
            (":s>=sk", &[]),
            ("a.b-c_d1 = :x-y", &[("a.b-c_d1", ":x-y")]),
            ("schlüssel=:größe", &[("schlüssel", ":größe")]),
            ("begins_with = :v", &[("begins_with", ":v")]),
            ("android = :v and order = :between", &[("android", ":v"), ("order", ":between")]),
        ];
        for (expression, expected) in cases {
            assert_eq!(equalities(expression).as_deref(), Some(*expected), "{expression}");
        }
    }

    #[test]
    fn malformed_is_none() {
        let cases = [
            "",
            "  ",
            "pk",
            "pk =",
            "= :v",
            "pk :v",
            "pk:v",
            "pk = :",
            "# = :v",
            "pk = :v:w",
            "pk = sk",
            ":v = :w",
            "pk < sk",
            ":v > :w",
            "pk == :v",
            "pk <> :v",
            "pk = :v AND",
            "AND pk = :v",
            "pk = :v sk = :s",
            "pk = :v, sk = :s",
            "pk = :v OR pk = :w",
            "NOT pk = :v",
            "NOT (pk = :v)",
            "pk = :v AND NOT sk = :s",
            "not = :v",
            "pk IN (:v)",
            "(pk = :v",
            "pk = :v)",
            ")pk = :v(",
            "()",
            "(pk = :v)(sk = :s)",
            "sk BETWEEN :a",
            "sk WITHIN :a AND :b",
            "sk BETWEEN :a AND",
            "sk BETWEEN :a OR :b",
            "sk BETWEEN (:a AND :b)",
            "sk BETWEEN :a AND sk",
            ":a BETWEEN sk AND :b",
            "begins_with(sk :s)",
            "begins_with(sk, :s",
            "begins_with(sk, :s, :t)",
            "begins_with(:s, sk)",
            "begins_with()",
            "contains(sk, :s)",
            "size(sk) = :s",
            "AND",
            "BETWEEN",
        ];
        for expression in cases {
            assert_eq!(equalities(expression), None, "{expression}");
        }
    }

    #[test]
    fn nesting_may_be_of_any_depth() {
        let deep = 1 << 20;
        let (open, close) = ("(".repeat(deep), ")".repeat(deep));
        assert_eq!(equalities(&format!("{open}pk = :v{close}")), Some(vec![("pk", ":v")]));
        assert_eq!(equalities(&format!("{open}pk = :v{close})")), None);
        assert_eq!(equalities(&open), None);
        let many = "a=:a and ".repeat(100_000) + "a=:a";
        assert_eq!(equalities(&many).map(|found| found.len()), Some(100_001));
    }

    #[test]
    fn no_damage_panics() {
        let sample = "(#p = :v) AND (sk BETWEEN :a AND :b) AND begins_with(ü, :s) AND x <= :y";
        for end in (0..=sample.len()).filter(|end| sample.is_char_boundary(*end)) {
            equalities(&sample[..end]);
            equalities(&sample[end..]);
            for put in ["(", ")", "=", "<", ">", ",", ":", "#", " ", "ß", "\0"] {
                equalities(&format!("{}{put}{}", &sample[..end], &sample[end..]));
            }
        }
    }
}
