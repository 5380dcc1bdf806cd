//! The machine and the tools that the report was made with.

use std::fs::read_to_string;
use std::process::Command;

/// Labels and values.
pub fn describe(compiler: &str) -> Vec<(&'static str, String)> {
    let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let guest = field(&cpuinfo, "flags").split_whitespace().any(|flag| flag == "hypervisor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 =
        field(&memory, "MemTotal").split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    vec![
        ("date", output("date", &["-u", "+%Y-%m-%d"])),
        // With "-dirty" where files differ from it.
        ("commit", output("git", &["describe", "--always", "--dirty", "--exclude=*"])),
        ("processor", field(&cpuinfo, "model name").into()),
        ("cores", format!("{cores}{}", if guest { ", of a virtual machine" } else { "" })),
        ("caches", caches()),
        ("memory", format!("{:.1} GiB", kib as f64 / f64::from(1 << 20))),
        ("transparent huge pages", chosen(&file("/sys/kernel/mm/transparent_hugepage/enabled"))),
        ("kernel", format!("{} {}", file("/proc/sys/kernel/ostype"), file("/proc/sys/kernel/osrelease"))),
        ("Rust compiler", output(&rustc, &["--version"])),
        ("C compiler", output(compiler, &["--version"])),
        ("peers", peers()),
    ]
}

/// The processor's name and its second cache, as far as they are known.
pub fn processor() -> String {
    let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = field(&cpuinfo, "model name");
    match (0..).map_while(cache).find(|cache| cache.level == "2") {
        Some(second) => format!("{name}, {} of L2", second.size),
        None => name.into(),
    }
}

/// The value of the first such line of a file in `/proc`.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("unknown", |(_, value)| value.trim())
}

fn file(path: &str) -> String {
    read_to_string(path).map_or_else(|_| "unknown".into(), |text| text.trim().into())
}

/// The first line that a program prints.
fn output(program: &str, args: &[&str]) -> String {
    let mut words = program.split_whitespace();
    let run = words.next().and_then(|program| Command::new(program).args(words).args(args).output().ok());
    let text = run.map(|run| String::from_utf8_lossy(&run.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").into()
}

/// Of `always [madvise] never`, the one in brackets.
fn chosen(text: &str) -> String {
    let inside = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    inside.map_or(text, |(chosen, _)| chosen).into()
}

fn caches() -> String {
    let name = |Cache { level, kind, size, cores }: Cache| {
        let shared = if cores == "0" { String::new() } else { format!(" (of cores {cores})") };
        format!("L{level} {kind} {size}{shared}")
    };
    let all: Vec<String> = (0..).map_while(cache).map(name).collect();
    if all.is_empty() { "unknown".into() } else { all.join(", ") }
}

/// A cache of the first core.
struct Cache {
    level: String,
    kind: String,
    size: String,
    /// Those that share it: `0-1`.
    cores: String,
}

fn cache(index: usize) -> Option<Cache> {
    let at = |name: &str| {
        let text = read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}"));
        text.ok().map(|text| text.trim().to_lowercase())
    };
    let size = at("size")?.to_uppercase();
    Some(Cache { level: at("level")?, kind: at("type")?, size, cores: at("shared_cpu_list")? })
}

/// The versions that `Cargo.lock` says.
fn peers() -> String {
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split_once('"').map(|(version, _)| format!("{name} {version}"))
    };
    let names = ["dashmap", "papaya", "governor", "crossbeam-epoch", "ahash"];
    names.into_iter().filter_map(version).collect::<Vec<_>>().join(", ")
}
