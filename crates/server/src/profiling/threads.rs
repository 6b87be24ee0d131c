//! The process's threads: what each has had of the processors, and what it does.

use std::fmt::Write;

use procfs::process::{Process, Task};

/// Threads that are listed at the most.
const THREADS_MAX: usize = 10_000;

/// A thread as it was seen.
struct Seen {
    id: i32,
    name: String,
    state: char,
    user_ms: u64,
    system_ms: u64,
}

/// A line for each, those first that took most.
///
/// # Errors
/// When `/proc` can't be read.
pub(super) fn threads() -> Result<String, procfs::ProcError> {
    let tasks = Process::myself()?.tasks()?;
    // One that ended meanwhile is none.
    let mut all: Vec<Seen> = tasks
        .flatten()
        .filter_map(|task| look(&task))
        .take(THREADS_MAX)
        .collect();
    all.sort_by_key(|seen| (std::cmp::Reverse(seen.user_ms + seen.system_ms), seen.id));
    Ok(table(&all))
}

fn look(task: &Task) -> Option<Seen> {
    let stat = task.stat().ok()?;
    let ms = |ticks: u64| ticks.saturating_mul(1000) / procfs::ticks_per_second().max(1);
    Some(Seen {
        id: task.tid,
        name: stat.comm,
        state: stat.state,
        user_ms: ms(stat.utime),
        system_ms: ms(stat.stime),
    })
}

fn table(all: &[Seen]) -> String {
    let mut text = format!(
        "{:>8}  {:<15}  {:<8}  {:>10}  {:>10}\n",
        "thread", "name", "state", "user ms", "kernel ms"
    );
    for seen in all {
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{:>8}  {:<15}  {:<8}  {:>10}  {:>10}",
            seen.id,
            seen.name,
            state(seen.state),
            seen.user_ms,
            seen.system_ms
        );
    }
    text
}

/// The letters are the kernel's (proc(5)).
fn state(letter: char) -> &'static str {
    match letter {
        'R' => "runs",
        'S' | 'I' => "waits",
        'D' => "disk",
        'T' | 't' => "stopped",
        _ => "ends",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_a_line_under_its_name() {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("recado-example".to_owned());
        let thread = thread
            .spawn(move || {
                begun.send(()).unwrap();
                let _ = stopped.recv();
            })
            .unwrap();
        begins.recv().unwrap();
        let text = threads().unwrap();
        drop(stop);
        thread.join().unwrap();
        assert!(text.starts_with("  thread  name"), "{text}");
        assert!(text.contains("  recado-example   "), "{text}");
    }
}
