//! `--signal COMMAND[=WHICH]`: what the shell's `kill` does, without having to look for the process.
//!
//! WHICH is a process id, the beginning of some with a `*` behind it (`*` alone: all), or a pid
//! file. Without it the only running server of our name is meant. A process that is not called as
//! this program is never sent anything: a pid file may be older than the process that has its
//! number today.

use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::messages::SignalProblem;
use super::pid_file::read_pid;
use super::processes;
use crate::config::Personality;
use crate::config::flags::{SignalCommand, SignalTarget};

/// A server that was started by its other name understands the same signals.
const OUR_NAMES: [Personality; 2] = [Personality::Recado, Personality::NatsServer];

/// nats-server's meanings, `stop` included, which waits for nothing.
fn signal_of(command: SignalCommand) -> Signal {
    match command {
        SignalCommand::Quit => Signal::SIGINT,
        SignalCommand::Stop => Signal::SIGKILL,
        SignalCommand::Term => Signal::SIGTERM,
        SignalCommand::Reopen => Signal::SIGUSR1,
        SignalCommand::Reload => Signal::SIGHUP,
        SignalCommand::LameDuck => Signal::SIGUSR2,
    }
}

/// Sends the signal to those that are meant among the processes called `program`, and returns their
/// ids.
pub fn send(
    command: SignalCommand,
    target: &SignalTarget,
    program: &str,
) -> Result<Vec<i32>, SignalProblem> {
    let pids = pids(target, program)?;
    for pid in &pids {
        kill(Pid::from_raw(*pid), signal_of(command)).map_err(|error| match error {
            Errno::EPERM => SignalProblem::Forbidden { pid: *pid },
            Errno::ESRCH => SignalProblem::NoProcess {
                which: pid.to_string(),
            },
            error => SignalProblem::Failed {
                pid: *pid,
                error: error.desc().to_owned(),
            },
        })?;
    }
    Ok(pids)
}

fn pids(target: &SignalTarget, program: &str) -> Result<Vec<i32>, SignalProblem> {
    match target {
        SignalTarget::TheOnly => match processes::called(program).as_slice() {
            [] => Err(none_runs(program)),
            [pid] => Ok(vec![*pid]),
            several => Err(SignalProblem::Several {
                program: program.to_owned(),
                pids: several.to_vec(),
            }),
        },
        SignalTarget::PidsBeginningWith(beginning) => {
            let mut pids = processes::called(program);
            pids.retain(|pid| pid.to_string().starts_with(beginning));
            if pids.is_empty() {
                return Err(none_runs(program));
            }
            Ok(pids)
        }
        SignalTarget::Pid(pid) => {
            let pid = i32::try_from(*pid).map_err(|_| SignalProblem::NoProcess {
                which: pid.to_string(),
            })?;
            checked(pid, program, None).map(|pid| vec![pid])
        }
        SignalTarget::PidFile(path) => {
            let pid =
                read_pid(path).ok_or_else(|| SignalProblem::PidFile { path: path.clone() })?;
            checked(pid, program, Some(path)).map(|pid| vec![pid])
        }
    }
}

fn none_runs(program: &str) -> SignalProblem {
    SignalProblem::Nobody {
        program: program.to_owned(),
    }
}

fn checked(pid: i32, program: &str, pid_file: Option<&Path>) -> Result<i32, SignalProblem> {
    match processes::name_of(pid) {
        Some(_) if processes::is_called(pid, program) => Ok(pid),
        Some(_)
            if OUR_NAMES
                .iter()
                .any(|name| processes::is_called(pid, name.program_name())) =>
        {
            Ok(pid)
        }
        Some(other) => Err(SignalProblem::Stranger {
            pid,
            name: other,
            program: program.to_owned(),
        }),
        None => Err(match pid_file {
            Some(path) => SignalProblem::StalePidFile {
                path: path.to_owned(),
                pid,
            },
            None => SignalProblem::NoProcess {
                which: pid.to_string(),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_stranger_is_left_alone() {
        let me = std::process::id();
        let outcome = send(SignalCommand::Stop, &SignalTarget::Pid(me), "recado-server");
        assert!(matches!(
            outcome,
            Err(SignalProblem::Stranger { pid, .. }) if u32::try_from(pid) == Ok(me)
        ));
        let nobody = SignalTarget::Pid(u32::MAX);
        assert!(matches!(
            send(SignalCommand::Stop, &nobody, "recado-server"),
            Err(SignalProblem::NoProcess { .. })
        ));
    }

    #[test]
    fn a_pid_file_without_a_process_is_stale() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), child.id().to_string()).unwrap();
        let target = SignalTarget::PidFile(file.path().to_owned());
        assert!(matches!(
            send(SignalCommand::Term, &target, "recado-server"),
            Err(SignalProblem::StalePidFile { .. })
        ));
    }

    #[test]
    fn a_process_of_our_name_gets_the_signal() {
        use std::os::unix::process::{CommandExt, ExitStatusExt};
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("recado-probe");
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(&program)
            .arg0("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        // The child is called as we are until it has become the other program.
        let deadline = Instant::now() + Duration::from_secs(30);
        let sent = loop {
            match send(SignalCommand::Term, &SignalTarget::TheOnly, "recado-probe") {
                Err(SignalProblem::Nobody { .. }) if Instant::now() < deadline => {
                    std::thread::yield_now();
                }
                outcome => break outcome.unwrap(),
            }
        };
        assert_eq!(sent, [i32::try_from(child.id()).unwrap()]);
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
    }
}
