//! The tracer's side of ptrace: a child whose one thread is led instruction by instruction.

use libc::{c_int, c_void, pid_t};
use std::io;
use std::mem::offset_of;
use std::ptr::null_mut;

/// The instruction that stops a traced thread, and how a breakpoint is made.
pub const INT3: u8 = 0xCC;

/// Stops the calling thread for its tracer.
#[inline(always)]
pub fn stop_here() {
    // SAFETY: the trap changes no register and no memory; the tracer lets the thread go on behind it.
    unsafe { std::arch::asm!("int3", options(nostack)) }
}

/// Makes the parent process the tracer of the calling thread.
pub fn be_traced() {
    // SAFETY: this request looks at none of its arguments.
    let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<c_void>(), null_mut::<c_void>()) };
    assert_eq!(traced, 0, "ptrace: {}", io::Error::last_os_error());
}

/// What has become of a tracee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its thread has stopped where it was told to.
    Stopped,
    /// The process has exited by itself.
    Exited,
    /// The process was ended by this signal.
    Killed(c_int),
}

/// A child process, of which the first thread is traced. It ends with this value.
pub struct Tracee {
    pid: pid_t,
    ended: bool,
}

impl Tracee {
    /// Forks. The child runs `run` and never returns.
    pub fn fork(run: impl FnOnce()) -> Self {
        // SAFETY: this process has one thread, so the child may do whatever this process may.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
        if pid == 0 {
            // SAFETY: plain system calls. Whatever happens to the tracer, the child ends: by this signal,
            // or when its time is up.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                libc::alarm(60);
            }
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            // SAFETY: ends the process without running what the parent will run at its own exit.
            unsafe { libc::_exit(0) }
        }
        Self { pid, ended: false }
    }

    fn request(&self, request: libc::c_uint, address: usize, data: usize) -> libc::c_long {
        // SAFETY: the requests that are made here read and write the tracee's memory, never this process's.
        unsafe { libc::ptrace(request, self.pid, address as *mut c_void, data as *mut c_void) }
    }

    /// Waits until the thread stops for its tracer, or the process ends.
    pub fn wait(&mut self) -> State {
        loop {
            let mut status = 0;
            // SAFETY: `status` is a valid place to write to.
            let waited = unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL) };
            assert_eq!(waited, self.pid, "waitpid: {}", io::Error::last_os_error());
            if libc::WIFEXITED(status) {
                self.ended = true;
                return State::Exited;
            }
            if libc::WIFSIGNALED(status) {
                self.ended = true;
                return State::Killed(libc::WTERMSIG(status));
            }
            match libc::WSTOPSIG(status) {
                libc::SIGTRAP => return State::Stopped,
                // Its own affair: mostly it ends by this.
                signal => {
                    self.request(libc::PTRACE_CONT, 0, signal as usize);
                }
            }
        }
    }

    /// Runs one instruction.
    pub fn step(&mut self) -> State {
        self.request(libc::PTRACE_SINGLESTEP, 0, 0);
        self.wait()
    }

    /// Lets the thread run until it next stops for its tracer.
    pub fn run(&mut self) -> State {
        self.request(libc::PTRACE_CONT, 0, 0);
        self.wait()
    }

    /// Lets the thread go for good.
    pub fn release(&mut self) {
        self.request(libc::PTRACE_DETACH, 0, 0);
    }

    /// The address of the instruction that is next.
    pub fn next(&self) -> usize {
        const RIP: usize = offset_of!(libc::user, regs) + offset_of!(libc::user_regs_struct, rip);
        self.request(libc::PTRACE_PEEKUSER, RIP, 0) as usize
    }

    /// The first byte of the instruction at `address`.
    pub fn byte(&self, address: usize) -> u8 {
        self.request(libc::PTRACE_PEEKTEXT, address, 0) as u8
    }

    /// Runs until the instruction at `address` is next. No other thread may come there meanwhile.
    pub fn run_to(&mut self, address: usize) -> State {
        const RIP: usize = offset_of!(libc::user, regs) + offset_of!(libc::user_regs_struct, rip);
        let word = self.request(libc::PTRACE_PEEKTEXT, address, 0) as usize;
        self.request(libc::PTRACE_POKETEXT, address, word & !0xFF | usize::from(INT3));
        let state = self.run();
        if state == State::Stopped {
            self.request(libc::PTRACE_POKETEXT, address, word);
            if self.next() == address + 1 {
                self.request(libc::PTRACE_POKEUSER, RIP, address);
            }
        }
        state
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        if !self.ended {
            // SAFETY: `pid` is this process's own child, which has not been waited for to its end.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            while !self.ended {
                self.wait();
            }
        }
    }
}
