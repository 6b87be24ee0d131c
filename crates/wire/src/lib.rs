//! The NATS client protocol as pure functions over bytes.
