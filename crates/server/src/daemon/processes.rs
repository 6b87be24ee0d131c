//! Other processes, as the kernel shows them. Only looked at, never changed.

use std::path::Path;

use procfs::process::{Process, all_processes};

/// The kernel keeps this many bytes of a process's name.
const NAME_BYTES_MAX: usize = 15;

/// The name that a process was started by, as far as the kernel keeps it.
pub(super) fn name_of(pid: i32) -> Option<String> {
    let stat = Process::new(pid).and_then(|process| process.stat()).ok()?;
    // A zombie has ended already: only its parent has not noticed yet.
    (stat.state != 'Z').then_some(stat.comm)
}

/// Whether a running process was started as `program`.
pub(super) fn is_called(pid: i32, program: &str) -> bool {
    name_of(pid).is_some_and(|name| name == shortened(program))
}

/// Ids of the processes that were started as `program`, this one left out.
pub(super) fn called(program: &str) -> Vec<i32> {
    let me = i32::try_from(std::process::id()).unwrap_or_default();
    let Ok(all) = all_processes() else {
        return Vec::new();
    };
    let mut found: Vec<i32> = all
        .filter_map(Result::ok)
        .map(|process| process.pid())
        .filter(|pid| *pid != me && is_called(*pid, program))
        .collect();
    found.sort_unstable();
    found
}

/// The last part of a program's path.
pub fn file_name(program: &str) -> String {
    Path::new(program)
        .file_name()
        .map_or_else(|| program.to_owned(), |name| name.to_string_lossy().into())
}

fn shortened(program: &str) -> String {
    let bytes = program.as_bytes();
    String::from_utf8_lossy(&bytes[..bytes.len().min(NAME_BYTES_MAX)]).into_owned()
}
