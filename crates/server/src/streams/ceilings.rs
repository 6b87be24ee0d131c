//! How much streams may take where nobody said so: as nats-server has it, three quarters of the machine's memory and
//! three quarters of the room on the disk (E230). Unlike nats-server's, memory is what the process's control
//! group (a container, a service) may have, and what the store has already counts as room: else the ceiling would
//! sink with each start.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::StreamsOptions;

/// Bytes that streams may take together; `None` where the machine does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ceilings {
    /// Those in memory.
    pub(crate) memory_bytes: Option<u64>,
    /// Those in the log.
    pub(crate) file_bytes: Option<u64>,
}

impl Ceilings {
    /// What is configured, else the default. `directory` is where the store is, and may not be there yet.
    pub(crate) fn of(streams: &StreamsOptions, directory: &Path) -> Self {
        let three_quarters = |bytes: u64| bytes / 4 * 3;
        Self {
            memory_bytes: streams
                .max_memory_bytes
                .or_else(|| memory_bytes(Path::new("/")).map(three_quarters)),
            file_bytes: streams
                .max_file_bytes
                .or_else(|| room_bytes(directory).map(three_quarters)),
        }
    }
}

/// Memory of this machine, or of the smallest control group that this process is in. `root` is `/` but in tests.
fn memory_bytes(root: &Path) -> Option<u64> {
    let info = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let total = info
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups
        .lines()
        .filter_map(limit_of)
        .flat_map(|(mount, group, file)| {
            // A group is bounded by all those above it; in a container the outermost seen is the container's.
            let levels: Vec<PathBuf> = group.ancestors().map(Path::to_owned).collect();
            levels
                .into_iter()
                .map(move |level| mount.join(level).join(file))
        })
        .filter_map(|file| {
            fs::read_to_string(root.join(file))
                .ok()?
                .trim()
                .parse()
                .ok()
        });
    limits.chain([kibibytes.saturating_mul(1024)]).min()
}

/// Where the limits of one line of `/proc/self/cgroup` stand: the tree, the group in it, the file's name. Of the
/// second version there is one tree, of the first one for each controller.
fn limit_of(line: &str) -> Option<(&'static Path, &Path, &'static str)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, group) = rest.split_once(':')?;
    let group = Path::new(group.strip_prefix('/')?);
    if controllers.is_empty() {
        Some((Path::new("sys/fs/cgroup"), group, "memory.max"))
    } else if controllers.split(',').any(|name| name == "memory") {
        let tree = Path::new("sys/fs/cgroup/memory");
        Some((tree, group, "memory.limit_in_bytes"))
    } else {
        None
    }
}

/// What is free on the disk of a store, and what the store has of it.
#[cfg(unix)]
fn room_bytes(directory: &Path) -> Option<u64> {
    let there = directory.ancestors().find(|path| path.is_dir())?;
    let disk = nix::sys::statvfs::statvfs(there).ok()?;
    // Their types differ between systems.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    let free = (disk.blocks_available() as u64).saturating_mul(disk.fragment_size() as u64);
    Some(free.saturating_add(taken_bytes(directory)))
}

#[cfg(not(unix))]
fn room_bytes(_: &Path) -> Option<u64> {
    None
}

/// What the files of a directory take on the disk; they are a store's, so none is deeper.
#[cfg(unix)]
fn taken_bytes(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let files = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    files.map(|file| file.blocks().saturating_mul(512)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:        1000 kB\nMemFree:          10 kB\n",
    );

    #[test]
    fn memory_is_the_machines_where_no_group_bounds_it() {
        for groups in [
            &[][..],
            &[("proc/self/cgroup", "0::/a\n")],
            &[
                ("proc/self/cgroup", "0::/a\n"),
                ("sys/fs/cgroup/a/memory.max", "max\n"),
            ],
            &[
                ("proc/self/cgroup", "4:cpu,memory:/\n"),
                (
                    "sys/fs/cgroup/memory/memory.limit_in_bytes",
                    "9223372036854771712\n",
                ),
            ],
        ] {
            let machine = machine(&[&[MEMINFO], groups].concat());
            assert_eq!(memory_bytes(machine.path()), Some(1_024_000), "{groups:?}");
        }
        assert_eq!(memory_bytes(machine(&[]).path()), None);
    }

    #[test]
    fn memory_is_that_of_the_smallest_group_around_the_process() {
        for (groups, expected) in [
            (
                &[
                    ("proc/self/cgroup", "0::/a/b\n"),
                    ("sys/fs/cgroup/a/b/memory.max", "max\n"),
                    ("sys/fs/cgroup/a/memory.max", "5000\n"),
                ][..],
                5000,
            ),
            // As a container sees itself: the path is that of the host, the limit lies at the top.
            (
                &[
                    ("proc/self/cgroup", "0::/docker/x\n"),
                    ("sys/fs/cgroup/memory.max", "4000\n"),
                ],
                4000,
            ),
            (
                &[
                    ("proc/self/cgroup", "9:pids:/p\n4:memory:/m\n"),
                    ("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "3000\n"),
                    ("sys/fs/cgroup/memory/p/memory.limit_in_bytes", "1\n"),
                ],
                3000,
            ),
        ] {
            let machine = machine(&[&[MEMINFO], groups].concat());
            assert_eq!(memory_bytes(machine.path()), Some(expected), "{groups:?}");
        }
    }

    #[test]
    fn what_the_store_has_counts_as_room() {
        let root = tempfile::tempdir().unwrap();
        let store = root.path().join("store");
        assert_eq!(taken_bytes(&store), 0);
        assert!(room_bytes(&store).is_some_and(|room| room > 0));
        fs::create_dir(&store).unwrap();
        fs::write(store.join("segment"), vec![1; 1 << 20]).unwrap();
        fs::File::open(store.join("segment"))
            .unwrap()
            .sync_all()
            .unwrap();
        assert!(taken_bytes(&store) >= 1 << 20);
    }

    #[test]
    fn what_is_configured_is_not_looked_up() {
        let streams = StreamsOptions {
            max_memory_bytes: Some(0),
            max_file_bytes: Some(7),
            ..StreamsOptions::default()
        };
        let ceilings = Ceilings::of(&streams, Path::new("/none"));
        assert_eq!(
            (ceilings.memory_bytes, ceilings.file_bytes),
            (Some(0), Some(7))
        );
    }
}
