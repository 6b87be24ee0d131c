//! Socket activation: a listening socket that whoever started us has opened already
//! (`sd_listen_fds(3)`). It is the clients', and there is one at most.

use listenfd::ListenFd;
use nix::sys::socket::{getsockopt, sockopt};

use super::messages::Obstacle;
use crate::Inherited;

/// Sockets beyond this number are a mistake, not a configuration.
const SOCKETS_MAX: usize = 64;

/// Takes the sockets over. To be called once, before there are other threads: it removes what it
/// has read from the environment, so that no child takes it for its own.
pub(super) fn inherited() -> Result<Inherited, Obstacle> {
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
        if found.client.is_some() {
            return Err(Obstacle::ActivationSecond { descriptor });
        }
        found.client = Some(listener);
    }
    Ok(found)
}
