//! How many files and sockets this process may have open, and what that means for connections.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::messages::ResourceText;

/// What the process itself needs beside its connections: log, listeners, runtime, files of others'
/// libraries.
const OWN_USE: u64 = 64;

/// The limit after [`raise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptors {
    /// Descriptors that may be open at once.
    pub limit: u64,
}

/// Raises the limit to what the system allows without asking.
pub(super) fn raise() -> Result<Descriptors, ResourceText> {
    let failed = |error: nix::Error| ResourceText::DescriptorsUnknown {
        error: error.to_string(),
    };
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        // Some systems name a hard limit that they don't grant.
        Err(_) => soft,
    };
    Ok(Descriptors { limit })
}

impl Descriptors {
    /// Connections that fit.
    pub(super) fn connections_max(self) -> u64 {
        self.limit.saturating_sub(OWN_USE)
    }

    /// Whether as many connections fit as are wanted; `None` wants as many as fit.
    pub(super) fn suffice_for(self, wanted: Option<usize>) -> bool {
        wanted.is_none_or(|wanted| wanted as u64 <= self.connections_max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let raised = raise().unwrap();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!((soft, raised.limit), (hard, hard));
    }

    #[test]
    fn some_descriptors_are_not_for_connections() {
        let descriptors = Descriptors { limit: 1024 };
        assert!(descriptors.suffice_for(None));
        assert!(descriptors.suffice_for(Some(960)));
        assert!(!descriptors.suffice_for(Some(961)));
    }
}
