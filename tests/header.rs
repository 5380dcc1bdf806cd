//! The committed C header is what cbindgen makes of the source.
//!
//! `make header` (HOTPART_BLESS=1) writes it anew, and `make bindings` what is made of it too.

use std::path::Path;

fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::Builder::new().with_crate(root).with_config(config).generate().unwrap().write(&mut header);
    let header = String::from_utf8(header).unwrap();
    header.lines().map(|line| literal(line) + "\n").collect()
}

/// cbindgen writes bare numbers. A negative one is parenthesised here, which is safe wherever it is
/// pasted, and those of unsigned fields get their suffix.
fn literal(line: &str) -> String {
    match line.strip_prefix("#define ").and_then(|define| define.split_once(' ')) {
        Some((name, number)) if number.starts_with('-') => format!("#define {name} ({number})"),
        Some((name @ "HPD_INTERVAL_WINDOW", "4294967295")) => format!("#define {name} 0xFFFFFFFFu"),
        Some((name, number)) if name.starts_with("HPD_FLAG_") || name.starts_with("HPD_METRICS_") => {
            format!("#define {name} {number}u")
        }
        _ => line.to_owned(),
    }
}

#[test]
fn the_header_has_not_drifted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/hotpart.h");
    let generated = generated();
    if std::env::var_os("HOTPART_BLESS").is_some() {
        std::fs::write(&path, generated).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "include/hotpart.h differs from src/ffi: run `make bindings`");
}

/// Once the header declared two Rust enums under their bare names, which a C program may want for
/// itself.
#[test]
fn the_header_names_nothing_but_its_own() {
    let generated = generated();
    let declared = |line: &'static str| generated.lines().filter_map(move |l| l.strip_prefix(line));
    let types = declared("typedef struct ").chain(declared("typedef void (*"));
    for name in types.filter_map(|rest| rest.split([' ', ')']).next()) {
        assert!(name.starts_with("hpd_"), "{name}");
    }
    for name in declared("#define ").filter_map(|rest| rest.split(' ').next()) {
        assert!(name.starts_with("HPD_") || name == "HOTPART_H", "{name}");
    }
}
