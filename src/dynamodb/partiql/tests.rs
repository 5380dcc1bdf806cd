use super::Term::{Number, Other, Parameter};
use super::Verb::{Delete, Exists, Insert, Select, Update};
use super::*;

/// Attributes and what they are pinned to.
type Pinned<'a> = Vec<(&'a str, Vec<Term<'a>>)>;

fn text(value: &str) -> Term<'_> {
    Term::Text(value.into())
}

fn pins<'a>(expected: Pinned<'a>) -> Vec<Pin<'a>> {
    expected.into_iter().map(|(attribute, values)| Pin { attribute: attribute.into(), values }).collect()
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
        ("a = 1 OR a = 2", vec![]),
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
        let expected = Statement { verb: Select, table: "t".into(), index: None, pins: pins(expected) };
        assert_eq!(parse(&statement), Some(expected), "{condition}");
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
        ("EXISTS(SELECT * FROM t.i WHERE (a = ?))", Exists, "t", Some("i"), a(Parameter(0))),
        ("exists ( select a from t where a = 1 ORDER BY (a) ) ;", Exists, "t", None, a(Number("1"))),
    ];
    for (statement, verb, table, index, expected) in cases {
        let index = index.map(Cow::from);
        let expected = Statement { verb, table: table.into(), index, pins: pins(expected) };
        assert_eq!(parse(statement), Some(expected), "{statement}");
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
        assert_eq!(parse(statement), None, "{statement}");
    }
    for condition in conditions {
        assert_eq!(parse(&format!("SELECT * FROM t WHERE {condition}")), None, "{condition}");
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
        assert!(parse(&around(DEPTH_MAX - 1, open, inner, close)).is_some(), "{open}");
        assert_eq!(parse(&around(DEPTH_MAX, open, inner, close)), None, "{open}");
        let inside = format!("UPDATE t SET b = {}{inner}{}", open.repeat(DEPTH_MAX), close.repeat(DEPTH_MAX));
        assert!(parse(&inside).is_some(), "{open}");
        let deep = 1 << 20;
        assert_eq!(parse(&around(deep, open, inner, close)), None, "{open}");
        assert_eq!(parse(&around(deep, open, "", "")), None, "{open}");
        let inner = format!("{}{inner}{}", open.repeat(deep), close.repeat(deep));
        assert_eq!(parse(&format!("SELECT {inner} FROM t")), None, "{open}");
        assert_eq!(parse(&format!("UPDATE t SET b = {inner} WHERE a = 1")), None, "{open}");
        assert_eq!(parse(&format!("INSERT INTO t VALUE {{'a': {inner}}}")), None, "{open}");
    }
    // As deep as it gets, a small stack will do.
    let deep = around(DEPTH_MAX - 1, "a IN [", "1", "]");
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let parsed = small.spawn(move || parse(&deep).is_some()).expect("a thread").join();
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
        ("a = 1 OR ", "a = 1", 0),
        ("(a = 1 OR b = 2) AND ", "a = 1", 1),
        ("a = '''' AND ", "a = 1", many + 1),
        ("/* */", "a = 1", 1),
        ("--\n", "a = 1", 1),
    ] {
        let statement = format!("SELECT * FROM t WHERE {}{last}", part.repeat(many));
        assert_eq!(parse(&statement).map(|parsed| parsed.pins.len()), Some(count), "{part}");
    }
    let statement = format!("DELETE FROM t WHERE a IN [{}?]", "?,".repeat(many));
    let parsed = parse(&statement).expect("a statement");
    assert_eq!(parsed.pins[0].values.last(), Some(&Parameter(many)));
    assert_eq!(parse(&format!("SELECT * FROM t WHERE a = {}", "'".repeat(2 * many + 1))), None);
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
        assert!(parse(sample).is_some(), "{sample}");
        for at in (0..=sample.len()).filter(|at| sample.is_char_boundary(*at)) {
            let (head, tail) = sample.split_at(at);
            let mut rest = tail.chars();
            rest.next();
            parse(head);
            parse(tail);
            parse(&format!("{head}{}", rest.as_str()));
            for put in (0..=0x80_u8).map(char::from).chain(['é', '漢', '🦀']) {
                parse(&format!("{head}{put}{tail}"));
                parse(&format!("{head}{put}{}", rest.as_str()));
            }
        }
    }
}
