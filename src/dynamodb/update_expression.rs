//! Update expressions: the attributes that an `UpdateExpression` sets to a value that it names.

use crate::dynamodb::expression::{Tokens, pair};
use std::iter::Peekable;

/// The words with which clauses begin, all of them reserved. The first assigns.
const CLAUSES: [&str; 4] = ["SET", "ADD", "DELETE", "REMOVE"];

/// Returns the assignments of a lone value to a whole attribute, each as the attribute's name (or
/// its `#placeholder`) and the value's `:placeholder`. `None` if the expression is malformed.
///
/// Other assignments, such as `n = n + :one`, `l[0] = :v` or `a.b = :v`, are passed over, and so
/// are the other clauses: the value that they leave is not known. `SET #u = :u, n = n + :one REMOVE
/// x` comes to `[("#u", ":u")]`.
pub(crate) fn assignments(expression: &str) -> Option<Vec<(&str, &str)>> {
    let mut tokens = Tokens(expression).peekable();
    let mut found = Vec::new();
    while let Some(clause) = tokens.next() {
        is_clause(clause).then_some(())?;
        loop {
            let assignment = part(&mut tokens)?;
            if clause.eq_ignore_ascii_case(CLAUSES[0]) {
                found.extend(assignment);
            }
            if tokens.next_if_eq(&",").is_none() {
                break;
            }
        }
    }
    Some(found)
}

/// Reads one part of a clause, up to a comma, the next clause or the end. Returns its name and
/// value if it is an assignment of a lone value, `Some(None)` for any other part, and `None` for
/// none.
fn part<'a>(tokens: &mut Peekable<Tokens<'a>>) -> Option<Option<(&'a str, &'a str)>> {
    let (mut first, mut len, mut open) = ([""; 3], 0, 0_usize);
    // A comma within parentheses is a function's. Only the first three tokens matter: with a fourth
    // it is no lone value.
    while let Some(token) = tokens.next_if(|token| open > 0 || !(*token == "," || is_clause(token))) {
        match token {
            "(" => open += 1,
            ")" => open = open.checked_sub(1)?,
            _ => {}
        }
        if let Some(place) = first.get_mut(len) {
            *place = token;
        }
        len += 1;
    }
    match (first, len) {
        _ if open > 0 || len == 0 => None,
        ([name, "=", value], 3) if !name.contains(['.', '[']) => Some(pair(name, value)),
        _ => Some(None),
    }
}

/// Returns whether a clause begins with this word.
fn is_clause(token: &str) -> bool {
    CLAUSES.iter().any(|clause| token.eq_ignore_ascii_case(clause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_of_lone_values_to_attributes_are_found() {
        let g: &[_] = &[("g", ":v")];
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("SET g = :v", g),
            ("set g=:v", g),
            ("\tSeT\r\ng\u{a0}=\n:v ", g),
            ("SET #g=:v,a = :w", &[("#g", ":v"), ("a", ":w")]),
            ("REMOVE x, y[1] SET g = :v ADD n :one DELETE s :s", g),
            ("ADD n :one, m :two SET g = :v", g),
            ("SET a = :v, g = :v", &[("a", ":v"), ("g", ":v")]),
            // All else says nothing, and hides nothing.
            ("SET a = if_not_exists(a, :x), g = :v", g),
            ("SET g = :v, a = list_append(if_not_exists(a, :e), :x)", g),
            ("SET a = a + :one, g = :v, b = :x - b, c = :x+:y", g),
            // No value has such a name.
            ("SET a = :x-b", &[("a", ":x-b")]),
            ("SET a.b = :x, l[0] = :x, #m.#n = :x, #l[2].x = :x, g = :v", g),
            ("SET a . b = :x, a .b = :x, a. b = :x, l [0] = :x, g = :v", g),
            ("SET a = b, g = :v, c = (:x), d = (e)", g),
            ("SET g = if_not_exists(g, :v)", &[]),
            ("SET g = g + :v", &[]),
            ("SET g = :v + :w", &[]),
            ("ADD g :v", &[]),
            ("DELETE g :v", &[]),
            ("REMOVE g", &[]),
            // What DynamoDB refuses is of no matter.
            ("SET g = :", &[]),
            ("SET :v = g", &[]),
            ("SET g == :v", &[]),
            ("SET g :v", &[]),
            ("REMOVE g = :v", &[]),
            ("SET schlüssel=:größe", &[("schlüssel", ":größe")]),
            ("SET settings = :v", &[("settings", ":v")]),
        ];
        for (expression, expected) in cases {
            assert_eq!(assignments(expression).as_deref(), Some(*expected), "{expression}");
        }
    }

    #[test]
    fn malformed_is_none() {
        let cases = [
            "g = :v",
            "SET",
            "SET ,",
            "SET g = :v,",
            "SET , g = :v",
            "SET SET g = :v",
            "SET g = :v REMOVE",
            "SET a = f(a, :x, g = :v",
            "SET a = f)a, :x(, g = :v",
            ", SET g = :v",
            "(SET g = :v)",
        ];
        for expression in cases {
            assert_eq!(assignments(expression), None, "{expression}");
        }
    }

    #[test]
    fn no_damage_panics_and_no_depth_needs_a_stack() {
        let sample = "SET #g = :v, a=if_not_exists(ü, :a) + :b REMOVE b[0].c ADD d :y";
        for end in (0..=sample.len()).filter(|end| sample.is_char_boundary(*end)) {
            assignments(&sample[..end]);
            assignments(&sample[end..]);
            for put in ["(", ")", "=", ",", ":", "#", " ", "SET ", "ß", "\0"] {
                assignments(&format!("{}{put}{}", &sample[..end], &sample[end..]));
            }
        }
        let (open, close) = ("(".repeat(1 << 20), ")".repeat(1 << 20));
        assert_eq!(assignments(&format!("SET a = {open}:v{close}, g = :v")), Some(vec![("g", ":v")]));
    }
}
