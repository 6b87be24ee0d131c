//! Why there is no profile.

use std::io;

use hyper::StatusCode;

/// Why there is no profile.
#[derive(Debug)]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    allow(dead_code, reason = "nothing is sampled there")
)]
pub(super) enum Trouble {
    /// Somebody else has one made.
    Busy,
    /// The kernel lets this process not look at itself.
    NotAllowed(io::Error),
    /// The machine has not what it takes.
    Machine(io::Error),
    /// Nothing here can read stacks of this processor.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    OtherProcessor,
}

impl Trouble {
    /// What the kernel's refusal means.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub(super) fn of_kernel(error: io::Error) -> Self {
        match error.kind() {
            // A filter of system calls may answer that there is no such call.
            io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => Self::NotAllowed(error),
            _ => Self::Machine(error),
        }
    }

    /// The status that says it over HTTP.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::CONFLICT,
            Self::NotAllowed(_) | Self::Machine(_) => StatusCode::SERVICE_UNAVAILABLE,
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
            Self::OtherProcessor => StatusCode::NOT_IMPLEMENTED,
        }
    }

    /// What happened, and what to do.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Busy => {
                "a profile is being made for somebody else; ask again when it is done".to_owned()
            }
            Self::NotAllowed(error) => format!(
                "the kernel does not let this server sample itself (perf_event_open: {error}): set kernel.perf_event_paranoid \
                 to 2 or less, or give the server CAP_PERFMON; in a container or a unit, its filter of system calls must let \
                 perf_event_open pass"
            ),
            Self::Machine(error) => format!("no profile could be made: {error}; ask again later"),
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
            Self::OtherProcessor => {
                "there are no CPU profiles on this processor; look at the process with perf"
                    .to_owned()
            }
        }
    }
}
