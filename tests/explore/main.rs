//! The explorer: the release library with a thread stopped before each single instruction of one
//! call.
//!
//! Under ptrace a child's first thread is led to the k-th instruction of a call and left there. A
//! second thread then does what may hurt: replaces its segment, turns its partition's second,
//! clears. Whether that thread can do so at all while the first stands still is what lock-free
//! means. Then the first goes on, and every count and warning is held against an exact list until
//! all has left the window. Then the same with k + 1, until the call has come to its end.
//!
//! `ci/explore.sh` builds the library and runs this.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod alarms;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod call;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod catalogue;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod child;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod entries;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod explorer;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod field;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod heard;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod hot_bounds;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod library;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod lives;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod oracle;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod pasts;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod places;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod scenario;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracer;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod warnings;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    explorer::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("skipped: the explorer steps through x86-64 instructions under Linux's ptrace");
}
