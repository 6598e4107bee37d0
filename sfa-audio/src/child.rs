//! Child processes that never outlive their owner, and what they complained about.

use std::io::{self, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A child process and, on Unix, all that it started: killed when dropped.
pub struct Leash {
    child: Child,
    status: Option<ExitStatus>,
}

impl Leash {
    /// Starts `command` at the head of a process group of its own, where the system has such.
    ///
    /// # Errors
    /// When there is no such program, or it cannot be started.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        Ok(Self { child: command.spawn()?, status: None })
    }

    /// The number of the child's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The pipe into the child, once.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The pipe out of the child, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How the child ended, if it has; what it started ends then too.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
            if self.status.is_some() {
                self.kill_group();
            }
        }
        Ok(self.status)
    }

    /// Ends the child and all that it started; tells how it ended where the system knows.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // The group first: as long as nobody has waited for the child, its number is not given to another.
            self.kill_group();
            // It may have ended by itself; then there is nothing to do.
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
        self.status
    }

    #[cfg(unix)]
    fn kill_group(&self) {
        use nix::sys::signal::{Signal, killpg};
        use nix::unistd::Pid;
        if let Ok(group) = i32::try_from(self.child.id()) {
            // Nobody of it may be left.
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }

    #[cfg(not(unix))]
    fn kill_group(&self) {}
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The end of what a child writes to its standard error, collected on the side so that it never blocks.
pub struct Complaints {
    tail: Arc<Mutex<Vec<u8>>>,
    /// Says nothing and closes when the child has closed its end.
    closed: Receiver<()>,
}

impl Complaints {
    /// Listens to the standard error of `leash`.
    pub fn of(leash: &mut Leash) -> Self {
        const MOST: usize = 1 << 14;
        let tail = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = sync_channel::<()>(1);
        if let Some(mut stderr) = leash.child.stderr.take() {
            let tail = Arc::clone(&tail);
            std::thread::spawn(move || {
                let _open = sender;
                let mut piece = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut piece) {
                    let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                    tail.extend_from_slice(&piece[..count]);
                    let excess = tail.len().saturating_sub(MOST);
                    tail.drain(..excess);
                }
            });
        }
        Self { tail, closed }
    }

    /// Takes what came since the last call, and with it the child's last words when it is about to end.
    pub fn take(&self) -> String {
        let _ = self.closed.recv_timeout(Duration::from_secs(1));
        let tail = std::mem::take(&mut *self.tail.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&tail).into_owned()
    }

    /// As [`take`](Self::take), the last line only, ready to follow a sentence.
    pub fn take_last_line(&self) -> String {
        last_lines(&self.take(), 1).map_or_else(String::new, |line| format!(": {line}"))
    }
}

/// The last `count` lines of `text` in one, without empty ones and without what would upset a terminal.
pub fn last_lines(text: &str, count: usize) -> Option<String> {
    const LONGEST: usize = 500;
    // A progress bar goes back to the start of its line again and again.
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    let mut last: Vec<&str> = lines.rev().take(count).collect();
    last.reverse();
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = last.join("; ").chars().take(LONGEST).map(visible).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_few_short_and_clean() {
        let text = "first\n10 %\r20 %\r\n\nBad\x1bthing: no\n\n";
        assert_eq!(last_lines(text, 1).unwrap(), "Bad thing: no");
        assert_eq!(last_lines(text, 2).unwrap(), "20 %; Bad thing: no");
        assert_eq!(last_lines(" \n\r\n", 3), None);
        assert_eq!(last_lines(&"ä".repeat(10_000), 1).unwrap().chars().count(), 500);
    }

    #[cfg(unix)]
    #[test]
    fn a_flood_of_complaints_neither_blocks_nor_grows() {
        let mut command = Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 9000 ]; do echo line $i >&2; i=$((i+1)); done"]);
        command.stderr(std::process::Stdio::piped());
        let mut leash = Leash::spawn(&mut command).unwrap();
        let complaints = Complaints::of(&mut leash);
        while leash.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let text = complaints.take();
        assert!(text.len() <= 1 << 14 && text.ends_with("line 8999\n"), "{} bytes", text.len());
        assert!(leash.kill().unwrap().success(), "a child that has ended keeps its status");
    }
}
