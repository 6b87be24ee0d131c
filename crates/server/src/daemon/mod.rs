//! What makes the server a good daemon: how it starts, tells the world that it is ready, listens to
//! signals and goes away. It knows nothing of the protocol, and the engine knows nothing of it.

mod activation;
mod command;
mod descriptors;
mod holder;
mod invitation;
mod messages;
mod pid_file;
mod ports_file;
mod processes;
mod signals;

pub use activation::{Inherited, inherited};
pub use command::send;
pub use descriptors::{Descriptors, raise};
pub use holder::{Holder, holder_of};
pub use invitation::command as invitation;
pub use messages::{LifeText, Obstacle, OpeningText, ResourceText, SignalProblem};
pub use pid_file::PidFile;
pub use ports_file::{Ports, PortsFile};
pub use processes::file_name;
pub use signals::{Action, LISTENED, Stance, name as signal_name};
