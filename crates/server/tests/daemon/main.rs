//! The program as a daemon: started, watched, signalled and stopped from outside, as its users do.

#![cfg(unix)]

mod descriptors;
mod encryption;
mod erasing;
mod files;
mod init;
mod lifetime;
mod log;
mod nats;
mod opening;
mod program;
mod secrets;
mod service_manager;
mod signal_command;
mod strangers;
mod verifying;
