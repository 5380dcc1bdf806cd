//! Statements in, and what is read of them out: their verb, table and pins.

use super::Term::{Number, Other, Parameter};
use super::Verb::{Delete, Exists, Insert, Select, Update, UpdateFrom};
use super::*;

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
fn what_cannot_be_read_may_still_tell_its_table() {
    let cases = [
        ("SELECT * FROM t WHERE a ~ 1", Some(Select), Some("t")),
        ("SELECT * FROM t `", Some(Select), Some("t")),
        ("UPDATE \"my t\" SET a = `x`", Some(Update), Some("my t")),
        ("FROM t WHERE a = 1 MERGE b", Some(UpdateFrom), Some("t")),
        ("DELETE FROM t.i WHERE", Some(Delete), Some("t")),
        ("INSERT INTO t VALUE {'a': }", Some(Insert), Some("t")),
        ("EXISTS(SELECT * FROM t", Some(Exists), Some("t")),
        ("SELECT `a` FROM t", Some(Select), None),
        ("DROP TABLE t", None, None),
        ("", None, None),
        ("`", None, None),
    ];
    for (statement, verb, table) in cases {
        let expected = Unread { verb, table: table.map(Cow::from) };
        assert_eq!(parse(statement), Err(expected), "{statement}");
    }
}

#[test]
fn statements_are_read() {
    let a = |term| vec![("a", vec![term])];
    type Case<'a> = (&'a str, Verb, &'a str, Option<&'a str>, Pinned<'a>);
    let cases: Vec<Case> = vec![
        ("SELECT * FROM t", Select, "t", None, vec![]),
        ("select a.b[0], c from \"my-t.x\" ;", Select, "my-t.x", None, vec![]),
        ("SELECT * FROM \"t\".\"i\"\"d\" WHERE a = ?", Select, "t", Some("i\"d"), a(Parameter(0))),
        ("SELECT * FROM t.idx ORDER BY a DESC, b", Select, "t", Some("idx"), vec![]),
        ("SELECT*FROM\"t\"WHERE\"a\"=1 ORDER BY a", Select, "t", None, a(Number("1"))),
        (
            "SELECT \"FROM\", ' FROM x ', (FROM), [?], {'FROM': ?} FROM t WHERE a = ?",
            Select,
            "t",
            None,
            a(Parameter(2)),
        ),
        ("/* FROM */ SELECT -- FROM\n* FROM t WHERE a=1;", Select, "t", None, a(Number("1"))),
        (
            "UPDATE \"t\" SET a=? SET b = list_append(b, ?) REMOVE c WHERE a = ?",
            Update,
            "t",
            None,
            a(Parameter(2)),
        ),
        ("update t remove c[1] where a=1 returning all old *", Update, "t", None, a(Number("1"))),
        ("UPDATE t SET b = {'WHERE': ['WHERE ', ?]} RETURNING ALL NEW *", Update, "t", None, vec![]),
        ("DELETE FROM \"t\" WHERE a = 'x' RETURNING ALL OLD *", Delete, "t", None, a(text("x"))),
        ("delete from t", Delete, "t", None, vec![]),
        (
            "INSERT INTO \"t\" VALUE {'pk': 'x', 'n': ?, 'm': {'x': [?, 2]}, 's': <<1,2>>, 'l': ?}",
            Insert,
            "t",
            None,
            vec![
                ("pk", vec![text("x")]),
                ("n", vec![Parameter(0)]),
                ("m", vec![Other]),
                ("s", vec![Other]),
                ("l", vec![Parameter(2)]),
            ],
        ),
        ("insert into t value {\"a\":-1} IF NOT EXISTS", Insert, "t", None, a(Number("-1"))),
        ("INSERT INTO t VALUE {}", Insert, "t", None, vec![]),
        ("INSERT INTO t VALUE {'a': [b = 1]}", Insert, "t", None, a(Other)),
        ("FROM \"t\" WHERE a='A' SET c=1", UpdateFrom, "t", None, a(text("A"))),
        (
            "from t where a = ? set b = ? remove c, d[1] returning all new *",
            UpdateFrom,
            "t",
            None,
            a(Parameter(0)),
        ),
        ("FROM t WHERE b IS NULL AND a = 1 REMOVE b;", UpdateFrom, "t", None, a(Number("1"))),
        (
            "FROM t WHERE a = 1 AND b LIKE 'x' SET c = {'WHERE': 'REMOVE'} SET d = 1",
            UpdateFrom,
            "t",
            None,
            a(Number("1")),
        ),
        ("FROM t REMOVE b", UpdateFrom, "t", None, vec![]),
        ("EXISTS(SELECT * FROM t.i WHERE (a = ?))", Exists, "t", Some("i"), a(Parameter(0))),
        ("exists ( select a from t where a = 1 ORDER BY (a) ) ;", Exists, "t", None, a(Number("1"))),
    ];
    for (statement, verb, table, index, expected) in cases {
        let index = index.map(Cow::from);
        let found = parse(statement).map(|statement| Statement { sets: Vec::new(), ..statement });
        let (table, pins) = (table.into(), pins(expected));
        assert_eq!(found, Ok(Statement { verb, table, index, pins, sets: Vec::new() }), "{statement}");
    }
}

#[test]
fn what_is_set_to_a_lone_value_is_found() {
    let cases: Vec<(&str, Vec<(&str, Term<'_>)>)> = vec![
        ("UPDATE t SET g = 'x' WHERE p = 1", vec![("g", text("x"))]),
        ("update t set \"g\"\"h\" = 'it''s' where p = 1", vec![("g\"h", text("it's"))]),
        (
            "UPDATE t SET a=?,g=? SET h=? WHERE p=?",
            vec![("a", Parameter(0)), ("g", Parameter(1)), ("h", Parameter(2))],
        ),
        ("FROM t WHERE p = ? SET a = '?' SET g = ? REMOVE b", vec![("a", text("?")), ("g", Parameter(1))]),
        ("UPDATE t REMOVE a SET g=-1.5e3 WHERE p = 1", vec![("g", Number("-1.5e3"))]),
        ("UPDATE t SET /* a = 1, */ g = -- x\n 1 RETURNING ALL NEW *", vec![("g", Number("1"))]),
        ("FROM t SET g = 'x';", vec![("g", text("x"))]),
        ("FROM t SET g = 'x'", vec![("g", text("x"))]),
        // All else says nothing, and hides nothing.
        ("UPDATE t SET a = list_append(a, ?), g = ? WHERE p = 1", vec![("g", Parameter(1))]),
        ("UPDATE t SET a = a + 1 SET g = 'x', b = 'y' || 'z', c = 1 + 1 WHERE p = 1", vec![("g", text("x"))]),
        (
            "UPDATE t SET a.b = 1, l[0] = 2, \"m\".\"n\" = 3, x.set = 4, g = 'x' WHERE p = 1",
            vec![("g", text("x"))],
        ),
        ("UPDATE t SET a = {'g': 1, 'h': [2, 3]}, g = 'x', s = <<1, 2>> WHERE p = 1", vec![("g", text("x"))]),
        (
            "UPDATE t SET a = ***(Redacted), b = NULL, c = TRUE, d = e, f = (1), g = 'x' WHERE p = 1",
            vec![("g", text("x"))],
        ),
        ("UPDATE t SET a = - 1, b = -'x', c = -?, d = --1\n, g = 'x' WHERE p = 1", vec![("g", text("x"))]),
        ("UPDATE t SET g = set_add(g, <<1>>) REMOVE h = 1, i WHERE p = 1", vec![]),
        ("UPDATE t SET RETURNING ALL NEW *", vec![]),
        ("UPDATE t SET , = 1 SET ? = 1 SET g WHERE p = 1", vec![]),
        ("INSERT INTO t VALUE {'g': 'x'}", vec![]),
        ("DELETE FROM t WHERE g = 'x'", vec![]),
    ];
    for (statement, expected) in cases {
        let expected: Vec<_> = expected.into_iter().map(|(name, term)| (Cow::from(name), term)).collect();
        assert_eq!(parse(statement).map(|parsed| parsed.sets), Ok(expected), "{statement}");
    }
}

#[test]
fn malformed_is_none() {
    let statements = [
        "",
        ";",
        "a = 1",
        "SELECT",
        "SELECT *",
        "SELECT FROM t",
        "SELECT * FROM",
        "SELECT * FROM WHERE a = 1",
        "SELECT * FROM 't'",
        "SELECT * FROM t.i.j",
        "SELECT * FROM t.",
        "SELECT * FROM t x",
        "SELECT * FROM t LIMIT 1",
        "SELECT * FROM t RETURNING ALL OLD *",
        "SELECT * FROM t;;",
        "SELECT * FROM t; SELECT",
        "SELECT * FROM t ORDER BY a)",
        "SELECT * FROM \"t",
        "SELECT (* FROM t",
        "SELECT (a] FROM t",
        "SELECT ) FROM t",
        "SELECT <<a] FROM t",
        "SELECT >> FROM t",
        "SELECT `a` FROM t",
        "SELECT * /* FROM t",
        "SELECT * FROM t -- x\n#",
        "UPDATE t WHERE a = 1",
        "UPDATE t SET b = (1 WHERE a = 1",
        "UPDATE t SET b = 1 WHERE a = 1 ORDER BY a",
        "DELETE t WHERE a = 1",
        "DELETE FROM t WHERE",
        "INSERT t VALUE {'a': 1}",
        "INSERT INTO t {'a': 1}",
        "INSERT INTO t VALUE",
        "INSERT INTO t VALUE ['a': 1]",
        "INSERT INTO t VALUE {'a': }",
        "INSERT INTO t VALUE {'a' 1}",
        "INSERT INTO t VALUE {'a': 1,}",
        "INSERT INTO t VALUE {a: 1}",
        "INSERT INTO t VALUE {'a': 1",
        "INSERT INTO t VALUE {'a': 1}}",
        "EXISTS",
        "EXISTS(SELECT * FROM t",
        "EXISTS(DELETE FROM t)",
        "EXISTS(SELECT * FROM t ORDER BY a;)",
        "DROP TABLE t",
        "FROM",
        "FROM t",
        "FROM t WHERE a = 1",
        "FROM t WHERE a = 1 RETURNING ALL OLD *",
        "FROM t SET b = 1 WHERE a = 1",
        "FROM t WHERE a = 1 SET b = 1 WHERE a = 1",
        "FROM t WHERE SET b = 1",
        "FROM t WHERE a = 1 DELETE",
        "FROM t WHERE a = 1 SET b = (1",
        "FROM 't' WHERE a = 1 SET b = 1",
    ];
    let conditions = [
        "",
        "a =",
        "= 1",
        "a = 1 = 1",
        "a == 1",
        "a = 1 AND",
        "a = 1 OR OR b = 2",
        "AND a = 1",
        "NOT",
        "a NOT",
        "a NOT = 1",
        "a NOT IS NULL",
        "a IS",
        "a IS ?",
        "a IN",
        "a IN [1,]",
        "a IN [1 2]",
        "a IN [1)",
        "a BETWEEN 1",
        "a BETWEEN 1 OR 2",
        "(a = 1",
        "a = 1)",
        "()",
        "a = 'x",
        "a = 'x''",
        "a = 1x",
        "a = 1.2.3",
        "a = 1e",
        "a = \"",
        "a. = 1",
        "a.'b' = 1",
        "a[] = 1",
        "a[0 = 1",
        "f(a = 1",
        "a = 1 b = 2",
        "a = 1, b = 2",
        "a ! 1",
        "a = AND",
        "SELECT = 1",
        "a = :v",
        "a = 1 WHERE b = 2",
    ];
    for statement in statements {
        assert!(parse(statement).is_err(), "{statement}");
    }
    for condition in conditions {
        assert!(parse(&format!("SELECT * FROM t WHERE {condition}")).is_err(), "{condition}");
    }
}

#[test]
fn nesting_is_bounded() {
    let around = |n: usize, open: &str, inner: &str, close: &str| {
        format!("SELECT * FROM t WHERE {}{inner}{}", open.repeat(n), close.repeat(n))
    };
    for (open, inner, close) in [
        ("(", "a = 1", ")"),
        ("NOT (", "a = 1", ")"),
        ("a IN [", "1", "]"),
        ("[", "1", "]"),
        ("<<", "1", ">>"),
        ("{'a':", "1", "}"),
        ("f(", "1", ")"),
        ("a[", "1", "]"),
        ("-(", "1", ")"),
    ] {
        assert!(parse(&around(DEPTH_MAX - 1, open, inner, close)).is_ok(), "{open}");
        assert!(parse(&around(DEPTH_MAX, open, inner, close)).is_err(), "{open}");
        let inside = format!("UPDATE t SET b = {}{inner}{}", open.repeat(DEPTH_MAX), close.repeat(DEPTH_MAX));
        assert!(parse(&inside).is_ok(), "{open}");
        let deep = 1 << 20;
        assert!(parse(&around(deep, open, inner, close)).is_err(), "{open}");
        assert!(parse(&around(deep, open, "", "")).is_err(), "{open}");
        let inner = format!("{}{inner}{}", open.repeat(deep), close.repeat(deep));
        assert!(parse(&format!("SELECT {inner} FROM t")).is_err(), "{open}");
        assert!(parse(&format!("UPDATE t SET b = {inner} WHERE a = 1")).is_err(), "{open}");
        assert!(parse(&format!("INSERT INTO t VALUE {{'a': {inner}}}")).is_err(), "{open}");
    }
    // As deep as it gets, a small stack will do.
    let deep = around(DEPTH_MAX - 1, "a IN [", "1", "]");
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let parsed = small.spawn(move || parse(&deep).is_ok()).expect("a thread").join();
    assert!(parsed.expect("no panic"));
}

#[test]
fn length_is_not_bounded() {
    let many = 100_000;
    for (part, last, count) in [
        ("a = 1 AND ", "a = 1", many + 1),
        ("NOT ", "a = 1", 0),
        ("- ", "1 = a", 0),
        ("? + ", "1 = a", 0),
        ("a = 1 OR ", "a = 1", 1),
        ("(a = 1 OR b = 2) AND ", "a = 1", 1),
        ("a = '''' AND ", "a = 1", many + 1),
        ("/* */", "a = 1", 1),
        ("--\n", "a = 1", 1),
    ] {
        let statement = format!("SELECT * FROM t WHERE {}{last}", part.repeat(many));
        assert_eq!(parse(&statement).map(|parsed| parsed.pins.len()), Ok(count), "{part}");
    }
    let statement = format!("DELETE FROM t WHERE a IN [{}?]", "?,".repeat(many));
    let parsed = parse(&statement).expect("a statement");
    let Values::Listed(values) = &parsed.pins[0].values else { panic!("a list") };
    assert_eq!(values.last(), Some(&Parameter(many)));
    assert!(parse(&format!("SELECT * FROM t WHERE a = {}", "'".repeat(2 * many + 1))).is_err());
}

#[test]
fn no_damage_panics() {
    let samples = [
        "SELECT a, 'x?', [?] FROM \"t\".\"i\"\"x\" WHERE (ü = -1.5e+3 AND b IN (1, ?)) OR NOT c.d[0] IS NULL ORDER BY e;",
        "UPDATE t SET a=? SET b = f(b, ?) REMOVE c WHERE d BETWEEN 1 AND 2 AND e LIKE 'é''' RETURNING ALL OLD *",
        "INSERT INTO t VALUE {'pk': 'x', 'm': {'x': [1, -.2]}, 's': <<1,2>>} IF NOT EXISTS",
        "/* ? */ EXISTS(SELECT * FROM t -- x\nWHERE begins_with(a, ?) AND b <= c AND d || 'x' != 'y')",
    ];
    for sample in samples {
        assert!(parse(sample).is_ok(), "{sample}");
        for at in (0..=sample.len()).filter(|at| sample.is_char_boundary(*at)) {
            let (head, tail) = sample.split_at(at);
            let mut rest = tail.chars();
            rest.next();
            let _ = (parse(head), parse(tail), parse(&format!("{head}{}", rest.as_str())));
            for put in (0..=0x80_u8).map(char::from).chain(['é', '漢', '🦀']) {
                let _ = parse(&format!("{head}{put}{tail}"));
                let _ = parse(&format!("{head}{put}{}", rest.as_str()));
            }
        }
    }
}
