//! Socket activation: listening sockets that whoever started us has opened already
//! (`sd_listen_fds(3)`). Names tell what a socket is for: one whose name begins with `plain` is for
//! bare TCP peers, on the subject of that very name (`plain`, `plain.sensors`, …); every other one,
//! named or not, is the clients', and there is one of those at most.

use std::net::TcpListener;

use listenfd::ListenFd;
use nix::sys::socket::{getsockopt, sockopt};

use super::Obstacle;

/// Sockets beyond this number are a mistake, not a configuration.
const SOCKETS_MAX: usize = 64;

/// Listening sockets that were handed to this process; empty when it opens its own.
#[derive(Debug, Default)]
pub struct Inherited {
    /// For NATS clients, instead of the configured address.
    pub client: Option<TcpListener>,
    /// For bare TCP peers, with their subject, beside the configured ones.
    pub plain: Vec<(TcpListener, String)>,
}

/// Takes the sockets over. To be called once, before there are other threads: it removes what it
/// has read from the environment, so that no child takes it for its own.
pub fn inherited() -> Result<Inherited, Obstacle> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (pid, count) = (variable("LISTEN_PID"), variable("LISTEN_FDS"));
    if pid.parse() != Ok(std::process::id()) || count.is_empty() {
        return Ok(Inherited::default());
    }
    let names = variable("LISTEN_FDNAMES");
    match count.parse::<usize>() {
        Ok(count) if count <= SOCKETS_MAX => {}
        _ => return Err(Obstacle::ActivationCount { count }),
    }
    let mut passed = ListenFd::from_env();
    let mut names = names.split(':');
    let mut found = Inherited::default();
    for index in 0..passed.len() {
        let name = names.next().unwrap_or_default();
        let descriptor = index + 3;
        let unusable = |error: Option<String>| Obstacle::ActivationSocket {
            descriptor,
            name: name.to_owned(),
            error,
        };
        let listener = passed
            .take_tcp_listener(index)
            .map_err(|error| unusable(Some(error.to_string())))?;
        let Some(listener) = listener else { continue };
        if !getsockopt(&listener, sockopt::AcceptConn).unwrap_or(false) {
            return Err(unusable(None));
        }
        match plain_subject(name) {
            Some(subject) => found.plain.push((listener, subject)),
            None if found.client.is_none() => found.client = Some(listener),
            None => return Err(Obstacle::ActivationSecond { descriptor }),
        }
    }
    Ok(found)
}

fn plain_subject(name: &str) -> Option<String> {
    (name == "plain" || name.starts_with("plain.")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_socket_says_what_it_is_for() {
        assert_eq!(plain_subject("plain").as_deref(), Some("plain"));
        assert_eq!(
            plain_subject("plain.sensors").as_deref(),
            Some("plain.sensors")
        );
        assert_eq!(plain_subject("plainly"), None);
        assert_eq!(plain_subject("recado.socket"), None);
        assert_eq!(plain_subject(""), None);
    }
}
