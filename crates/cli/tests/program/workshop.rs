//! The workshop, in both languages: its own blocks of code are saved, typed into real shells on real
//! terminals, and what these show is compared with what the page says.
//!
//! In a block `console N`, a line that begins with `$` is typed into terminal N, `^C` is pressed there,
//! and the other lines must appear. A block of code with a name is saved under that name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use recado_conformance::{PATIENCE, server_program};
use tempfile::TempDir;

use crate::masked::lines_begin;
use crate::screen::{Screen, key};

/// Rows that nothing on the page fills, and columns that hardly anything does.
const ROWS: u16 = 100;
const COLUMNS: u16 = 250;

/// A block of code: what stands behind its fence, and its lines.
struct Block<'a> {
    kind: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                let lines = Vec::new();
                open = Some(Block { kind, lines });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    blocks
}

/// A network of the page's own, so that its ports are free; it lives as long as this.
struct Network(Child);

impl Network {
    /// `None`: this machine lacks the programs for it, or does not allow it.
    fn new() -> Option<Self> {
        // The pages themselves call `ss`; the rest makes the network and enters it.
        let lacks = |program: &&str| {
            let mut asked = Command::new(program);
            asked.arg("-V").stdout(Stdio::null()).stderr(Stdio::null());
            asked.status().is_err()
        };
        if ["unshare", "nsenter", "ip", "ss"].iter().any(lacks) {
            return None;
        }
        // `cat` waits for its input, which is open as long as we are there.
        let child = Command::new("unshare")
            .args(["--map-root-user", "--net", "sh", "-c"])
            .arg("ip link set lo up && echo up && exec cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut network = Self(child);
        let mut told = [0; 2];
        let stdout = network.0.stdout.as_mut().expect("a pipe");
        let made = std::io::Read::read_exact(stdout, &mut told).is_ok();
        made.then_some(network)
    }

    /// A shell in this network.
    fn shell(&self, folder: &Path, lang: &str) -> Screen {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.0.id().to_string()])
            .args(["--net", "--user", "--preserve-credentials"])
            .args(["bash", "--norc", "--noprofile", "-i"])
            .current_dir(folder)
            .env_clear()
            .env("PATH", path(folder))
            .env("PS1", "$ ")
            .env("LANG", lang)
            .env("HOME", folder);
        Screen::start(command, ROWS, COLUMNS)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Our programs before those of the machine.
fn path(folder: &Path) -> std::ffi::OsString {
    let recado = Path::new(env!("CARGO_BIN_EXE_recado")).parent().unwrap();
    let machine = std::env::var_os("PATH").unwrap_or_default();
    let all = [folder.join("bin"), recado.to_owned()].into_iter();
    std::env::join_paths(all.chain(std::env::split_paths(&machine))).unwrap()
}

/// A terminal, and the lines that were on it when the last block ended.
struct Terminal {
    screen: Screen,
    seen: usize,
}

impl Terminal {
    fn lines(&self) -> Vec<String> {
        let contents = self.screen.contents();
        contents.lines().map(str::to_owned).collect()
    }

    /// Waits until the shell wants a command.
    fn prompt(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.screen.cursor_line().trim_end() != "$" {
            assert!(
                Instant::now() < deadline,
                "before {what}: the shell has no prompt:\n{}",
                self.screen.contents()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types a command on an empty screen.
    fn command(&mut self, command: &str) {
        self.prompt(command);
        // Ctrl-L leaves only the prompt.
        self.screen.types("\x0c");
        self.screen
            .until("an empty screen", |screen| screen.trim_end() == "$");
        self.screen.types(command);
        self.screen.types(key::ENTER);
        self.seen = 1;
    }

    /// Waits until what came since the command, or since the last block, begins as expected.
    fn shows(&mut self, expected: &[&str], at_once: bool) {
        if expected.is_empty() {
            return;
        }
        // What comes by itself may come behind something else.
        let expected: Vec<&str> = match at_once {
            true => expected.to_vec(),
            false => ["…"].iter().chain(expected).copied().collect(),
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = self.lines();
            let new: Vec<&str> = lines.iter().skip(self.seen).map(String::as_str).collect();
            if lines_begin(&expected, &new) {
                // What comes next takes the place of a line that renews itself.
                let renewed = lines.last().is_some_and(|line| {
                    line.starts_with("Waiting ") || line.starts_with("En espera ")
                });
                let seen = lines.len() - usize::from(renewed);
                self.seen = if at_once { self.seen } else { seen };
                return;
            }
            assert!(
                Instant::now() < deadline,
                "expected:\n{}\n\nbut there is:\n{}",
                expected.join("\n"),
                lines.join("\n")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Does what a block says.
    fn play(&mut self, lines: &[&str]) {
        let acts = |line: &str| line.starts_with("$ ") || line == "^C";
        let first = lines.iter().position(|line| acts(line));
        self.shows(&lines[..first.unwrap_or(lines.len())], false);
        let mut rest = &lines[first.unwrap_or(lines.len())..];
        while let Some((act, behind)) = rest.split_first() {
            let next = behind.iter().position(|line| acts(line));
            let (expected, behind) = behind.split_at(next.unwrap_or(behind.len()));
            if *act == "^C" {
                self.seen = self.lines().len();
                self.screen.types(key::CTRL_C);
                self.prompt("what follows Ctrl-C");
                self.seen = self.seen.saturating_sub(1);
                self.shows(expected, false);
            } else {
                self.command(&act[2..]);
                self.shows(expected, true);
            }
            rest = behind;
        }
    }
}

fn run(page: &str, lang: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    let page = fs::read_to_string(page).expect("the page is there");
    let folder = TempDir::new().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(server_program(), bin.join("recado-server")).unwrap();
    let Some(network) = Network::new() else {
        eprintln!(
            "SKIPPED: the workshop needs a network namespace of its own, and this machine lacks \
             unshare, nsenter, ip or ss (packages util-linux and iproute2), or does not allow it"
        );
        return;
    };
    let mut terminals: Vec<Terminal> = (0..3)
        .map(|_| Terminal {
            screen: network.shell(folder.path(), lang),
            seen: 0,
        })
        .collect();
    let mut played = 0;
    for block in blocks(&page) {
        match block.kind.split_once(' ') {
            Some(("console", number)) => {
                let number: usize = number.parse().expect("a terminal's number");
                terminals[number - 1].play(&block.lines);
                played += 1;
            }
            Some((_, name)) => save(&folder.path().join(name), &block.lines),
            None => assert_ne!(
                block.kind, "console",
                "a console block without its terminal"
            ),
        }
    }
    assert!(played > 30, "only {played} blocks were played");
    for terminal in &terminals {
        terminal.screen.types(key::CTRL_C);
        terminal.prompt("the end");
    }
}

fn save(path: &PathBuf, lines: &[&str]) {
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// The page is about our server: its output is not that of another.
fn is_ours() -> bool {
    std::env::var_os("RECADO_SERVER_BIN").is_none()
}

#[test]
fn the_workshop_is_true_step_by_step() {
    if is_ours() {
        run("workshop.md", "en_US.UTF-8");
    }
}

#[test]
fn the_workshop_in_spanish_is_true_step_by_step() {
    if is_ours() {
        run("es/taller.md", "es_ES.UTF-8");
    }
}
