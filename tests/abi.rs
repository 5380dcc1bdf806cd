//! Promise 13: compares the C ABI with the one that is frozen in `abi/hotpart.c`.
//!
//! That file has the layout of each struct, the value of each constant and the type of each
//! function, as assertions that a C compiler checks (`ci/exports.sh`). The header's order is no
//! part of it. It guards programs that are already built: it changes with the version only, and
//! `make abi` (HOTPART_BLESS=1) writes it anew if Cargo.toml has another one, or if CHANGELOG.md
//! says that it is unreleased. So the fields are listed here by hand, and not made of the header as
//! those in `tests/c/layout.c` are.

use hotpart::ffi::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::mem::{offset_of, size_of};
use std::path::Path;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Each struct's name, size and fields with their offsets.
macro_rules! layouts {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        [$((stringify!($name), size_of::<$name>(), vec![$((stringify!($field), offset_of!($name, $field))),*])),*]
    };
}

fn layouts() -> impl IntoIterator<Item = (&'static str, usize, Vec<(&'static str, usize)>)> {
    layouts! {
        hpd_warning {
            struct_size, table, table_len, pk, pk_len, operation, window_seconds, count, threshold, suppressed, peak,
            rule, utilisation_permille, carried,
        }
        hpd_options {
            struct_size, writes_threshold, reads_threshold, window_seconds, warning_interval_seconds, callback,
            user_data, max_partitions, clock, flags, hash_seed, writes_per_second, reads_per_second, writes_sustained,
            reads_sustained, processes, reserved, redact_key, filter_bytes, promote_permille, reserved2,
        }
        hpd_record { table, table_len, pk, pk_len, model, model_len, amount, operation, reserved }
        hpd_hot_partition {
            struct_size, table, table_len, pk, pk_len, operation, utilisation_permille, count, throttles, demand, peak,
            carried,
        }
        hpd_statistics {
            struct_size, records, partitions, bytes, reclaimed, replaced, cleared, warnings, suppressed, throttles,
            unattributed, estimated_half_units, unknown_operations, promoted, demoted, kept_out, filter_load_permille,
            unread,
        }
        hpd_metrics_options { struct_size, hottest, flags, reserved, least }
        hpd_exchange {
            struct_size, operation, operation_len, request, request_len, response, response_len, model, model_len,
            http_status, reserved, table, table_capacity, table_len,
        }
    }
}

/// The header without comments, in one line.
fn header() -> String {
    let header = include_str!("../include/hotpart.h");
    let mut code = String::new();
    for (i, part) in header.split("/*").enumerate() {
        code += if i == 0 { part } else { part.split_once("*/").expect("comments end").1 };
    }
    code
}

/// The header's code in one line, without directives and the word "struct" but before a body.
fn declarations(header: &str) -> String {
    let code: Vec<&str> = header.lines().filter(|line| !line.starts_with('#')).collect();
    let words: Vec<&str> = code.iter().flat_map(|line| line.split_whitespace()).collect();
    words.join(" ").replace("typedef struct ", "typedef ").replace("struct ", "")
}

/// Each function's type, and each callback's, as a pointer to it is declared.
fn functions(code: &str) -> BTreeMap<String, String> {
    let mut functions = BTreeMap::new();
    for declaration in code.split([';', '{', '}']).map(str::trim).filter(|d| d.ends_with(')')) {
        if let Some(callback) = declaration.strip_prefix("typedef ") {
            let (result, rest) = callback.split_once("(*").expect("a pointer to a function");
            let (name, arguments) = rest.split_once(')').expect("its arguments");
            functions.insert(name.to_owned(), format!("{result}(*){arguments}"));
            continue;
        }
        let (before, arguments) = declaration.split_once('(').expect("a function");
        let name_at = before.rfind([' ', '*']).expect("a result") + 1;
        let (result, name) = before.split_at(name_at);
        if name.starts_with("hpd_") {
            functions.insert(name.to_owned(), format!("{result}(*)({arguments}"));
        }
    }
    functions
}

/// A field's name, and the type of a pointer to it.
fn field(declaration: &str) -> Option<(&str, String)> {
    let (of, name) = declaration.trim().rsplit_once(' ')?;
    let stars = name.len() - name.trim_start_matches('*').len();
    let (of, name) = (format!("{of} {}", "*".repeat(stars)), &name[stars..]);
    Some(match name.split_once('[') {
        Some((name, count)) => (name, format!("{of}(*)[{count}")),
        None => (name, format!("{of}*")),
    })
}

/// Each struct's fields in their order, and the type of a pointer to each.
fn structs(code: &str) -> BTreeMap<&str, Vec<(&str, String)>> {
    let with_body = code.split("typedef ").filter_map(|declaration| declaration.split_once(" { "));
    with_body
        .map(|(name, rest)| {
            let (body, _) = rest.split_once('}').expect("bodies end");
            (name, body.split(';').filter_map(field).collect())
        })
        .collect()
}

fn described() -> String {
    let header = header();
    let mut text = format!(
        "/* The C ABI of hotpart {VERSION}, version {} of it, frozen once that is released.\n \
         *\n \
         * It guards programs that are already built against a header that changes: a C11 compiler on a 64-bit\n \
         * platform proves that include/hotpart.h still has all of this. tests/abi.rs writes it, and only if the\n \
         * version is another one. What bindings and tests/c/layout.c have of the header follows it instead. */\n\
         #include \"../include/hotpart.h\"\n\n#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)\n\
         #define AT(type, field, offset, ...) \\\n  \
         _Static_assert(offsetof(type, field) == (offset), #type \".\" #field); \\\n  \
         _Static_assert(_Generic(&((type *)0)->field, __VA_ARGS__: 1, default: 0), #type \".\" #field)\n\
         #define VALUE(name, value) _Static_assert((name) == (value), #name)\n\
         #define FUNCTION(name, ...) _Static_assert(_Generic(&(name), __VA_ARGS__: 1, default: 0), #name)\n\
         #define CALLBACK(name, ...) _Static_assert(_Generic((name)0, __VA_ARGS__: 1, default: 0), #name)\n",
        hpd_abi_version(),
    );
    let code = declarations(&header);
    let mut declared = structs(&code);
    for (name, size, fields) in layouts() {
        let types = declared.remove(name).unwrap_or_else(|| panic!("the header has no struct {name}"));
        let in_header: Vec<_> = types.iter().map(|(field, _)| *field).collect();
        let in_list: Vec<_> = fields.iter().map(|(field, _)| *field).collect();
        assert_eq!(in_header, in_list, "the fields of {name}");
        write!(text, "\nSIZE({name}, {size});\n").unwrap();
        for ((field, offset), (_, pointer)) in fields.iter().zip(types) {
            writeln!(text, "AT({name}, {field}, {offset}, {pointer});").unwrap();
        }
    }
    assert!(declared.is_empty(), "structs of the header that are in no layout: {:?}", declared.keys());
    text.push('\n');
    let defines = header.lines().filter_map(|line| line.strip_prefix("#define HPD_"));
    let values: BTreeMap<_, _> = defines.map(|define| define.split_once(' ').expect("a value")).collect();
    for (name, value) in values {
        // The library's version changes without the ABI.
        if name != "VERSION" {
            writeln!(text, "VALUE(HPD_{name}, {value});").unwrap();
        }
    }
    text.push('\n');
    for (name, pointer) in functions(&code) {
        let kind = if code.contains(&format!("(*{name})(")) { "CALLBACK" } else { "FUNCTION" };
        writeln!(text, "{kind}({name}, {pointer});").unwrap();
    }
    text
}

/// Lists what programs that were built with the older ABI would miss in the newer one. A struct
/// whose size is said, by itself or, as a record's, beside it, may grow at its end.
fn missing<'a>(older: &'a str, newer: &str) -> Vec<&'a str> {
    let grows = |size: &str| {
        let (name, least) = size.split_once(", ").expect("a size");
        let before = format!("\nSIZE({name}, ");
        let newer = newer.split_once(&before).and_then(|(_, rest)| rest.split_once(')'));
        let number = |text: &str| text.trim_end_matches(");").parse::<usize>().expect("a number");
        newer.is_some_and(|(newer, _)| number(newer) >= number(least))
            && (older.contains(&format!("\nAT({name}, struct_size, ")) || name == "hpd_record")
    };
    let is_kept = |line: &str| {
        newer.lines().any(|newer| newer == line)
            || line.starts_with("VALUE(HPD_ABI_VERSION, ")
            || line.strip_prefix("SIZE(").is_some_and(grows)
    };
    let says = |line: &&str| {
        ["SIZE(", "AT(", "VALUE(", "FUNCTION(", "CALLBACK("].iter().any(|what| line.starts_with(what))
    };
    older.lines().filter(says).filter(|line| !is_kept(line)).collect()
}

/// The library's version and the ABI's that a description is of.
fn versions(description: &str) -> Option<(&str, &str)> {
    description.split_once("hotpart ")?.1.split_once(" of it")?.0.split_once(", version ")
}

fn major(version: &str) -> Option<&str> {
    version.split('.').next()
}

#[test]
fn the_abi_changes_with_the_version_only() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("abi/hotpart.c");
    let committed = std::fs::read_to_string(&path).expect("abi/hotpart.c is committed");
    let described = described();
    let before = versions(&committed).expect("it says of which version it is");
    let changelog = include_str!("../CHANGELOG.md");
    let released = !changelog.contains(&format!("## {VERSION}, unreleased\n"));
    if std::env::var_os("HOTPART_BLESS").is_some() && (before.0 != VERSION || !released) {
        let missing = missing(&committed, &described);
        let broken = major(before.0) != major(VERSION) && before.1 != hpd_abi_version().to_string();
        assert!(
            missing.is_empty() || broken,
            "another major version, and another HPD_ABI_VERSION, is needed for what is no longer there: {missing:#?}"
        );
        std::fs::write(&path, described).unwrap();
        return;
    }
    assert!(
        committed == described,
        "the ABI is not that of abi/hotpart.c: give Cargo.toml (and the bindings) another version, then run `make abi`"
    );
}

#[test]
fn what_an_older_program_would_miss_is_found() {
    let older = described();
    assert_eq!(missing(&older, &older), [""; 0]);
    let changed = |from: &str, to: &str| {
        assert!(
            older.contains(from),
            "{from} is not described: if the struct has grown, write its new size here"
        );
        older.replace(from, to)
    };
    for (from, to) in [
        ("SIZE(hpd_options, 152);", "SIZE(hpd_options, 160);"),
        ("SIZE(hpd_record, 64);", "SIZE(hpd_record, 72);"),
        ("VALUE(HPD_READ, ", "VALUE(HPD_NEW, 7);\nVALUE(HPD_READ, "),
        ("VALUE(HPD_ABI_VERSION, 1", "VALUE(HPD_ABI_VERSION, 2"),
    ] {
        assert_eq!(missing(&older, &changed(from, to)), [""; 0], "{to}");
    }
    for (from, to) in [
        ("SIZE(hpd_options, 152);", "SIZE(hpd_options, 128);"),
        ("AT(hpd_warning, count, 48, uint64_t *);", "AT(hpd_warning, count, 56, uint64_t *);"),
        ("AT(hpd_warning, count, 48, uint64_t *);", "AT(hpd_warning, count, 48, int64_t *);"),
        ("VALUE(HPD_ERR_MEMORY, (-4));", "VALUE(HPD_ERR_MEMORY, (-5));"),
        ("FUNCTION(hpd_clear, ", "FUNCTION(hpd_clears, "),
    ] {
        assert_eq!(missing(&older, &changed(from, to)).len(), 1, "{to}");
    }
}

#[test]
fn versions_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let abi = hpd_abi_version();
    for (file, says) in [
        ("bindings/python/pyproject.toml", format!("\nversion = \"{VERSION}\"")),
        ("bindings/python/src/hotpart/__init__.py", format!("\n__version__ = \"{VERSION}\"")),
        ("bindings/python/src/hotpart/_abi.py", format!("\nABI_VERSION = {abi}\n")),
        ("bindings/node/package.json", format!("\"version\": \"{VERSION}\"")),
        ("bindings/node/src/abi.ts", format!("ABI_VERSION = {abi};")),
        (
            "bindings/node/package-lock.json",
            format!("{{\n  \"name\": \"hotpart\",\n  \"version\": \"{VERSION}\""),
        ),
        (
            "bindings/node/package-lock.json",
            format!("\n      \"name\": \"hotpart\",\n      \"version\": \"{VERSION}\""),
        ),
        ("bindings/go/awsmiddleware/go.mod", format!("/bindings/go v{VERSION}\n")),
        ("bindings/go/detector_test.go", format!("hotpart.Version(), \"{VERSION}\"")),
        ("abi/hotpart.c", format!("hotpart {VERSION}, version {abi} of it")),
        ("CHANGELOG.md", format!("## {VERSION}")),
        // Filled in by `make install` from Cargo.toml.
        ("hotpart.pc.in", "Version: @VERSION@".to_owned()),
        ("cmake/hotpart-config-version.cmake.in", "PACKAGE_VERSION \"@VERSION@\"".to_owned()),
        ("include/hotpart.h", format!("#define HPD_VERSION \"{VERSION}\"\n")),
        // What breaks the ABI has another major version, and another SONAME.
        ("build.rs", format!("libhotpart.so.{}", major(VERSION).unwrap())),
        ("build.rs", format!("libhotpart.{}.dylib", major(VERSION).unwrap())),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&says), "{file} does not say {says:?}");
    }
}
