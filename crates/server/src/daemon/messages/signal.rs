//! What `--signal` answers when it can't do as asked.

use std::path::PathBuf;

use super::{Pair, choose};
use crate::config::Lang;

/// Why no signal was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalProblem {
    /// A command that does not exist.
    Unknown {
        /// What was written.
        command: String,
    },
    /// A process that does not run.
    NoProcess {
        /// What was written.
        which: String,
    },
    /// A file that can't be read or holds no process id.
    PidFile {
        /// Which file.
        path: PathBuf,
    },
    /// A file whose process has ended.
    StalePidFile {
        /// Which file.
        path: PathBuf,
        /// What it holds.
        pid: i32,
    },
    /// A process that is another program.
    Stranger {
        /// Which process.
        pid: i32,
        /// What it is.
        name: String,
        /// What it should have been.
        program: String,
    },
    /// A process of another user.
    Forbidden {
        /// Which process.
        pid: i32,
    },
    /// The system refused for another reason.
    Failed {
        /// Which process.
        pid: i32,
        /// Why.
        error: String,
    },
    /// No server runs.
    Nobody {
        /// Our name.
        program: String,
    },
    /// Several servers run.
    Several {
        /// Our name.
        program: String,
        /// Which ones.
        pids: Vec<i32>,
    },
}

impl SignalProblem {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::Unknown { command } => (
                format!(
                    "unknown signal command {command:?}: there are quit, term, stop, reopen, reload, ldm"
                ),
                format!(
                    "orden de señal desconocida, {command:?}: existen quit, term, stop, reopen, reload y ldm"
                ),
            ),
            Self::NoProcess { which } => (
                format!("there is no process {which}"),
                format!("no existe el proceso {which}"),
            ),
            Self::PidFile { path } => (
                format!("{} is no file that holds a process id", path.display()),
                format!(
                    "{} no es un archivo que contenga un número de proceso",
                    path.display()
                ),
            ),
            Self::StalePidFile { path, pid } => (
                format!(
                    "the pid file {} is left over from process {pid}, which has ended: remove it",
                    path.display()
                ),
                format!(
                    "el archivo de pid {} es de un proceso que ya terminó ({pid}): bórralo",
                    path.display()
                ),
            ),
            Self::Stranger { pid, name, program } => (
                format!(
                    "process {pid} is {name:?}, not {program:?}: nothing was sent. If it is the \
                     one you mean, use kill"
                ),
                format!(
                    "el proceso {pid} es {name:?}, no {program:?}: no se ha enviado nada. Si es el \
                     que quieres, usa kill"
                ),
            ),
            Self::Forbidden { pid } => (
                format!("process {pid} belongs to another user: try again with sudo"),
                format!("el proceso {pid} es de otro usuario: repítelo con sudo"),
            ),
            Self::Failed { pid, error } => (
                format!("process {pid} can't be sent a signal: {error}"),
                format!("no se puede enviar una señal al proceso {pid}: {error}"),
            ),
            Self::Nobody { program } => (
                format!("no {program} process is running"),
                format!("no hay ningún proceso {program} en marcha"),
            ),
            Self::Several { program, pids } => (
                format!(
                    "several {program} processes are running ({}): say which, as in \
                     --signal COMMAND=PID, or all with --signal 'COMMAND=*'",
                    listed(pids)
                ),
                format!(
                    "hay varios procesos {program} en marcha ({}): di cuál con \
                     --signal ORDEN=PID, o todos con --signal 'ORDEN=*'",
                    listed(pids)
                ),
            ),
        }
    }
}

fn listed(pids: &[i32]) -> String {
    let shown: Vec<String> = pids.iter().map(ToString::to_string).collect();
    shown.join(", ")
}
