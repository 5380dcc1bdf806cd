//! Conditions in, and the attributes out to which they pin every item that they match.

use super::*;
use crate::dynamodb::partiql::Term::{Number, Other, Parameter};
use crate::dynamodb::partiql::Verb::Select;
use crate::dynamodb::partiql::{Statement, parse};

/// Attributes and what they are pinned to.
type Pinned<'a> = Vec<(&'a str, Vec<Term<'a>>)>;

fn text(value: &str) -> Term<'_> {
    Term::Text(value.into())
}

fn pins<'a>(expected: Pinned<'a>) -> Vec<Pin<'a>> {
    let pin = |(attribute, values): (&'a str, _)| Pin {
        attribute: attribute.into(),
        values: Values::Listed(values),
    };
    expected.into_iter().map(pin).collect()
}

#[test]
fn conditions_pin_what_all_items_have() {
    let one = || vec![("a", vec![Number("1")])];
    let cases: Vec<(&str, Pinned)> = vec![
        ("a = 1", one()),
        ("1=a", one()),
        ("(((a = 1)))", one()),
        ("(a) = (1)", one()),
        ("\"a\" = 1", one()),
        ("a=?", vec![("a", vec![Parameter(0)])]),
        ("? = a", vec![("a", vec![Parameter(0)])]),
        ("a = 'it''s'", vec![("a", vec![text("it's")])]),
        ("a = ''", vec![("a", vec![text("")])]),
        ("a = ''''", vec![("a", vec![text("'")])]),
        ("a = '--/*?'", vec![("a", vec![text("--/*?")])]),
        ("\"a \"\"b\"\"\" = 'ü'", vec![("a \"b\"", vec![text("ü")])]),
        ("schlüssel$_9 = 1", vec![("schlüssel$_9", vec![Number("1")])]),
        ("a = -1", vec![("a", vec![Number("-1")])]),
        ("a=-1.50E+3", vec![("a", vec![Number("-1.50E+3")])]),
        ("a = .5", vec![("a", vec![Number(".5")])]),
        ("a = 1e-7 AND b = 2.", vec![("a", vec![Number("1e-7")]), ("b", vec![Number("2.")])]),
        ("a = 1E5 AND b = 1e5", vec![("a", vec![Number("1E5")]), ("b", vec![Number("1e5")])]),
        ("a = - 1", vec![]),
        ("a = +1", vec![]),
        ("a = - -1", vec![]),
        ("a = TRUE and b = null", vec![("a", vec![Other]), ("b", vec![Other])]),
        ("\"true\" = 1", vec![("true", vec![Number("1")])]),
        ("a = [1, ?] AND b = ?", vec![("a", vec![Other]), ("b", vec![Parameter(1)])]),
        ("a = {'x': ?} AND b = <<1, ?>> AND c = ?", {
            vec![("a", vec![Other]), ("b", vec![Other]), ("c", vec![Parameter(2)])]
        }),
        // IN
        ("a IN [1, 'x', ?]", vec![("a", vec![Number("1"), text("x"), Parameter(0)])]),
        (
            "a in ('x',(?), [?], -2, b)",
            vec![("a", vec![text("x"), Parameter(0), Other, Number("-2"), Other])],
        ),
        ("a IN (?)", vec![("a", vec![Parameter(0)])]),
        ("a IN []", vec![("a", vec![])]),
        ("a IN <<1>>", one()),
        ("a IN ? AND b = ?", vec![("a", vec![Other]), ("b", vec![Parameter(1)])]),
        ("a IN b", vec![]),
        ("? IN a", vec![]),
        ("a NOT IN [1]", vec![]),
        ("NOT a IN [1]", vec![]),
        // AND, OR, NOT
        ("a = 1 aNd b = 'x'", vec![("a", vec![Number("1")]), ("b", vec![text("x")])]),
        ("a = 1 AND (b = 2 OR c = 3)", one()),
        ("(b = 2 OR c = 3) AND a = 1", one()),
        (
            "(b = 2 AND (c = 3 or d = 4)) AND ((a = 1))",
            vec![("b", vec![Number("2")]), ("a", vec![Number("1")])],
        ),
        ("a = 1 AND b = 2 OR c = 3", vec![]),
        ("a = 1 OR b = 2 AND c = 3", vec![]),
        ("((a = 1) OR b = 2) AND NOT c = 3", vec![]),
        ("NOT (a = 1)", vec![]),
        ("not a = 1 AND b = 2", vec![("b", vec![Number("2")])]),
        ("a = 1 AND NOT NOT b = 2", one()),
        ("a = 1 AND NOT(b = 2 AND c = 3)", one()),
        ("(a = 1) = TRUE", vec![]),
        ("FALSE = (a = 1)", vec![]),
        ("(a = 1) <> (b = 2)", vec![]),
        ("f(a = 1)", vec![]),
        ("(a AND b) = 1 AND 1 = (a OR b)", vec![]),
        ("(NOT a) = 1", vec![]),
        ("[a = 1] = b", vec![("b", vec![Other])]),
        ("-(a = 1)", vec![]),
        ("(a = 1) + (b = 2)", vec![]),
        // What a log left out
        ("a = ***(Redacted) AND b = 1", vec![("a", vec![Other]), ("b", vec![Number("1")])]),
        ("a IN [***(Redacted), 1] AND b > ***(Redacted)", vec![("a", vec![Other, Number("1")])]),
        // Others, whose ? count
        ("b < ? AND b<=? AND b > ? AND b>=? AND b <> ? AND b!=? AND a = ?", vec![("a", vec![Parameter(6)])]),
        ("b BETWEEN ? AND ? AND a = ?", vec![("a", vec![Parameter(2)])]),
        ("b NOT BETWEEN ? + 1 AND (?) AND a = ?", vec![("a", vec![Parameter(2)])]),
        ("begins_with(\"b\", ?) AND contains(b, 'a = 1 OR') and a = ?", vec![("a", vec![Parameter(1)])]),
        ("attribute_type(b, 'S') AND size(b) = ? AND a = ?", vec![("a", vec![Parameter(1)])]),
        ("a = size(b) AND a = f()", vec![]),
        ("b IS MISSING AND c is not null AND a = 1", one()),
        ("b LIKE ? AND b NOT LIKE 'x' ESCAPE '\\' AND a = ?", vec![("a", vec![Parameter(1)])]),
        ("a = b", vec![]),
        ("1 = 1", vec![]),
        ("a", vec![]),
        ("a = ? + 1 AND a = 'x' || 'y' AND -a = 1", vec![]),
        ("a = 1 - 1 AND a = 1 * 1 AND a = 1 / 1 AND a = 1 % 1 AND a - 1 = 1", vec![]),
        // Paths
        ("a.b = 1", vec![]),
        ("a[0] = 1 AND a.order = 2", vec![]),
        ("1 = a . \"b\"[?][1].c AND d = ?", vec![("d", vec![Parameter(1)])]),
        // Space
        ("--x\na/* ? */=/**/1--?", one()),
        ("/***/a--\r=\t1\u{b}\u{c}", one()),
    ];
    for (condition, expected) in cases {
        let statement = format!("SELECT * FROM t WHERE {condition}");
        let (table, pins) = ("t".into(), pins(expected));
        let expected = Statement { verb: Select, table, index: None, pins, sets: Vec::new() };
        assert_eq!(parse(&statement), Ok(expected), "{condition}");
    }
}

#[test]
fn what_every_branch_of_an_or_pins_is_pinned() {
    use Values::{Any, Listed};
    let one = |n| vec![Listed(vec![Number(n)])];
    type Either<'a> = Vec<(&'a str, Vec<Vec<Values<Term<'a>>>>)>;
    let cases: Vec<(&str, Either)> = vec![
        ("a = 1 OR a = 2", vec![("a", vec![one("1"), one("2")])]),
        ("(a = 1) or (((a = 2)))", vec![("a", vec![one("1"), one("2")])]),
        ("a = 1 AND b = 5 OR a = 2 AND NOT b = 6 OR c > 1 AND 3 = a", {
            vec![("a", vec![one("1"), one("2"), one("3")])]
        }),
        ("a = 1 AND b = 5 OR b = 6 AND a = 2", {
            vec![("a", vec![one("1"), one("2")]), ("b", vec![one("5"), one("6")])]
        }),
        ("a IN [1, 2] AND a = 1 OR a = 3", {
            vec![("a", vec![vec![Listed(vec![Number("1"), Number("2")]), one("1").remove(0)], one("3")])]
        }),
        ("NOT b = 1 AND (a = 1 OR a = 2)", vec![("a", vec![one("1"), one("2")])]),
        ("a = 1 OR (a = 2 OR a = 3) AND b = 1", {
            vec![("a", vec![one("1"), vec![Any(vec![one("2"), one("3")])]])]
        }),
        ("a = 1 OR NOT a = 2", vec![]),
        ("a = 1 OR a > 2", vec![]),
        ("a = 1 OR b = 2 OR a = 2", vec![]),
        ("NOT (a = 1 OR a = 2)", vec![]),
        ("(a = 1 OR a = 2) = TRUE", vec![]),
    ];
    for (condition, expected) in cases {
        let statement = format!("SELECT * FROM t WHERE {condition}");
        let pin =
            |(attribute, each): (&'static str, _)| Pin { attribute: attribute.into(), values: Any(each) };
        let expected: Vec<_> = expected.into_iter().map(pin).collect();
        assert_eq!(parse(&statement).map(|parsed| parsed.pins), Ok(expected), "{condition}");
    }
}
