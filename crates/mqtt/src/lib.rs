//! MQTT 3.1.1 as pure functions over bytes: packets in and out, topics and the subjects that stand for them, and the
//! packet identifiers of what a client has not acknowledged.
//!
//! No I/O and no clock. The server speaks to MQTT clients with it; nothing here knows a socket or a stream.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod connect;
mod cursor;
mod fault;
mod in_flight;
mod packet;
#[cfg(test)]
mod packet_tests;
mod topic;
mod write;

pub use connect::{Connect, Will};
pub use fault::{Fault, ReturnCode};
pub use in_flight::{Given, InFlight, Source, State};
pub use packet::{Filter, Packet, Parsed, Publish, parse};
pub use topic::{
    InvalidTopic, Subjects, begins_with_wildcard, filter_to_subjects, subject_to_topic,
    topic_to_subject,
};
pub use write::{
    push_connack, push_pingresp, push_puback, push_pubcomp, push_publish, push_pubrec, push_pubrel,
    push_suback, push_unsuback,
};

/// How surely a message is to arrive: never more often than once, at least once, exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Qos {
    /// At most once.
    AtMostOnce = 0,
    /// At least once.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl Qos {
    /// From its number in a packet.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// Its number in a packet. Never changes: it is stored with messages.
    pub fn number(self) -> u8 {
        self as u8
    }
}
