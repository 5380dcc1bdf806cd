//! The tracer's side of ptrace: a child whose one thread is led instruction by instruction.

use libc::{c_int, c_void, pid_t};
use std::io;
use std::mem::offset_of;
use std::ops::Range;
use std::ptr::null_mut;

/// The first bytes of instructions: that which stops a traced thread, and of which breakpoints are
/// made; those that return; and the prefix that some compilers put before them.
const INT3: u8 = 0xCC;
const RET: u8 = 0xC3;
const RET_POPPING: u8 = 0xC2;
const REPEATED: u8 = 0xF3;

/// Where the kernel has a stopped thread's registers.
const RIP: usize = offset_of!(libc::user, regs) + offset_of!(libc::user_regs_struct, rip);
const RSP: usize = offset_of!(libc::user, regs) + offset_of!(libc::user_regs_struct, rsp);

/// Stops the calling thread for its tracer.
#[inline(always)]
pub fn stop_here() {
    // SAFETY: the trap changes no register and no memory; the tracer lets the thread go on behind
    // it.
    unsafe { std::arch::asm!("int3", options(nostack)) }
}

/// Makes the parent process the tracer of the calling thread.
pub fn be_traced() {
    // SAFETY: this request looks at none of its arguments.
    let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<c_void>(), null_mut::<c_void>()) };
    assert_eq!(traced, 0, "ptrace: {}", io::Error::last_os_error());
}

/// The end of a tracee.
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
    /// Its end, once it has ended.
    ended: Option<State>,
}

impl Tracee {
    /// Forks. The child runs `run` and never returns.
    pub fn fork(run: impl FnOnce()) -> Self {
        // SAFETY: this process has one thread, so the child may do whatever this process may.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
        if pid == 0 {
            // SAFETY: plain system calls. Whatever happens to the tracer, the child ends: by this
            // signal, or when its time is up.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                libc::alarm(60);
            }
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            // SAFETY: ends the process without running what the parent will run at its own exit.
            unsafe { libc::_exit(0) }
        }
        Self { pid, ended: None }
    }

    fn request(&self, request: libc::c_uint, address: usize, data: usize) -> libc::c_long {
        // SAFETY: the requests that are made here read and write the tracee's memory, never this
        // process's.
        unsafe { libc::ptrace(request, self.pid, address as *mut c_void, data as *mut c_void) }
    }

    /// Waits until the thread stops for its tracer, or the process ends.
    pub fn wait(&mut self) -> State {
        while self.ended.is_none() {
            let mut status = 0;
            // SAFETY: `status` is a valid place to write to.
            let waited = unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL) };
            assert_eq!(waited, self.pid, "waitpid: {}", io::Error::last_os_error());
            if libc::WIFEXITED(status) {
                self.ended = Some(State::Exited);
            } else if libc::WIFSIGNALED(status) {
                self.ended = Some(State::Killed(libc::WTERMSIG(status)));
            } else if libc::WSTOPSIG(status) == libc::SIGTRAP {
                return State::Stopped;
            } else {
                // Another signal is its own affair: mostly it ends by that.
                self.request(libc::PTRACE_CONT, 0, libc::WSTOPSIG(status) as usize);
            }
        }
        self.ended.unwrap_or(State::Exited)
    }

    /// Runs one instruction.
    fn step(&mut self) -> State {
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
        self.register(RIP)
    }

    fn register(&self, at: usize) -> usize {
        self.request(libc::PTRACE_PEEKUSER, at, 0) as usize
    }

    fn word(&self, address: usize) -> usize {
        self.request(libc::PTRACE_PEEKTEXT, address, 0) as usize
    }

    fn byte(&self, address: usize) -> u8 {
        self.word(address) as u8
    }

    /// Runs one instruction of `text`, and what that calls elsewhere, until the next instruction of
    /// `text`. `None`: there is none before the next trap.
    pub fn advance(&mut self, text: &Range<usize>) -> Option<usize> {
        let last = self.next();
        let returns = matches!(self.byte(last), RET | RET_POPPING | REPEATED);
        let mut calls = text.contains(&last) && !returns;
        while self.step() == State::Stopped {
            let next = self.next();
            if text.contains(&next) {
                return Some(next);
            }
            if self.byte(next) == INT3 {
                return None;
            }
            // Where a call has just come to, the stack's last word says where it will return to.
            let back = self.word(self.register(RSP));
            if calls && text.contains(&back) {
                return (self.run_to(back, 1) == State::Stopped).then_some(back);
            }
            calls = false;
        }
        None
    }

    /// Runs until the instruction at `address` is next for the `times`-th time. No other thread may
    /// come there meanwhile.
    pub fn run_to(&mut self, address: usize, times: usize) -> State {
        let word = self.word(address);
        for nth in 0..times {
            if nth > 0 {
                let state = self.step();
                if state != State::Stopped {
                    return state;
                }
            }
            self.request(libc::PTRACE_POKETEXT, address, word & !0xFF | usize::from(INT3));
            let state = self.run();
            if state != State::Stopped {
                return state;
            }
            self.request(libc::PTRACE_POKETEXT, address, word);
            if self.next() == address + 1 {
                self.request(libc::PTRACE_POKEUSER, RIP, address);
            }
        }
        State::Stopped
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // SAFETY: `pid` is this process's own child, which has not been waited for to its end.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
        }
        while self.ended.is_none() {
            self.wait();
        }
    }
}
