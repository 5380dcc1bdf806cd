//! Emulators of DynamoDB, on loopback, where the environment says where they are.

use std::env::{temp_dir, var_os};
use std::io::{Write, stderr};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// One that runs, until it is dropped.
pub struct Emulator {
    pub endpoint: String,
    process: Child,
}

impl Emulator {
    /// The one that `variable` names, with `arguments` before the port's number; says so where it
    /// names none.
    pub fn start(variable: &str, arguments: &[&str]) -> Option<Self> {
        let Some(program) = var_os(variable) else {
            // Past the test runner, which keeps what eprintln prints to itself.
            let why = format!("skipped: {variable} does not say where that emulator is\n");
            stderr().write_all(why.as_bytes()).unwrap();
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(arguments)
            .arg(port.to_string())
            .current_dir(temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut emulator = Self { endpoint: format!("http://127.0.0.1:{port}"), process };
        for _ in 0..300 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(emulator);
            }
            assert_eq!(emulator.process.try_wait().unwrap(), None, "{variable} has ended");
            sleep(Duration::from_millis(100));
        }
        panic!("{variable} does not listen");
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).unwrap();
    }
}
