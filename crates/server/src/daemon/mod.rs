//! What makes the server a good daemon: how it starts, tells the world that it is ready, listens to
//! signals and goes away. It knows nothing of the protocol, and the engine knows nothing of it.

mod activation;
mod command;
mod descriptors;
mod holder;
pub mod init;
mod invitation;
pub mod messages;
mod pid_file;
mod ports_file;
mod processes;
mod progress;
mod run;
mod service_manager;
mod signals;
pub mod verify;
mod voice;

pub use command::send;
pub use holder::Holder;
pub use processes::file_name;
pub use run::serve;
