//! Failures of the network itself, caused in a network namespace that the test makes: packets that
//! vanish, ways that do not exist, a name server that is silent. They need root, and say so.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::harness::recado;

/// An address to which packets leave and from which nothing comes back.
const VOID: &str = "192.0.2.9";

/// A network of its own, gone when dropped.
struct Network {
    name: String,
    settings: PathBuf,
}

/// Runs `ip`; whether it worked.
fn ip(args: &[&str]) -> bool {
    let done = Command::new("/usr/sbin/ip").args(args).output();
    done.is_ok_and(|done| done.status.success())
}

impl Network {
    /// None without the right to make one.
    fn new(test: &str) -> Option<Self> {
        let name = format!("recado-{}-{test}", std::process::id());
        if !nix::unistd::geteuid().is_root() || !ip(&["netns", "add", &name]) {
            eprintln!("SKIPPED: a network namespace can't be made here (it needs root and ip)");
            return None;
        }
        let settings = PathBuf::from("/etc/netns").join(&name);
        let network = Self { name, settings };
        let void = "02:00:00:00:00:09";
        for command in [
            &["link", "set", "lo", "up"][..],
            &["link", "add", "va", "type", "veth", "peer", "name", "vb"],
            &["addr", "add", "192.0.2.1/24", "dev", "va"],
            &["link", "set", "va", "up"],
            &["link", "set", "vb", "up"],
            // Nobody has this address at the other end: every packet is dropped there.
            &["neigh", "add", VOID, "lladdr", void, "dev", "va"],
            &["route", "add", "unreachable", "198.51.100.0/24"],
        ] {
            let inside: Vec<&str> = ["-n", &network.name]
                .into_iter()
                .chain(command.iter().copied())
                .collect();
            assert!(ip(&inside), "ip {inside:?}");
        }
        Some(network)
    }

    /// Has names looked up at a server that never answers.
    fn silent_name_server(&self) {
        fs::create_dir_all(&self.settings).unwrap();
        let path = self.settings.join("resolv.conf");
        fs::write(path, format!("nameserver {VOID}\n")).unwrap();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.settings);
        ip(&["netns", "del", &self.name]);
    }
}

#[test]
fn packets_that_vanish_are_a_timeout() {
    let Some(network) = Network::new("void") else {
        return;
    };
    for command in [
        &["pub", "a", "x"][..],
        &["sub", "a"],
        &["ping"],
        &["doctor"],
    ] {
        let more = ["--timeout", "300ms"];
        let ended = recado(VOID, command.iter().chain(&more))
            .inside(&network.name)
            .run();
        assert_eq!(ended.code, Some(7), "{command:?}: {ended:?}");
        let words = format!("{VOID}:4222 did not answer within 300 ms (timed out)");
        let said = String::from_utf8_lossy(&ended.stdout) + ended.stderr.as_str();
        assert!(said.contains(&words), "{said}");
        assert!(said.contains("firewall"), "{said}");
    }
}

#[test]
fn ways_that_do_not_exist_are_told_apart() {
    let Some(network) = Network::new("ways") else {
        return;
    };
    for (address, words) in [
        ("198.51.100.1", "the network finds no such machine"),
        ("203.0.113.1", "this machine has no way into that network"),
    ] {
        let ended = recado(address, ["ping"]).inside(&network.name).run();
        assert_eq!(ended.code, Some(7), "{ended:?}");
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

#[test]
fn a_name_server_that_is_silent_is_told_and_ctrl_c_ends_the_question() {
    let Some(network) = Network::new("names") else {
        return;
    };
    network.silent_name_server();
    let ended = recado("some.example.org", ["ping", "--timeout", "300ms"])
        .inside(&network.name)
        .run();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("no answer to the question for its address within 300 ms"),
        "{}",
        ended.stderr
    );
    let asking = recado(
        "some.example.org",
        ["sub", "a", "--retry", "--timeout", "300ms"],
    )
    .inside(&network.name)
    .spawn();
    asking.told("Waiting: the name ");
    asking.signal(Signal::SIGTERM);
    assert_eq!(asking.end().code, Some(130));
}
