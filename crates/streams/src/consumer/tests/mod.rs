//! Behaviour of consumers, one a test.

mod acks;
mod groups;
mod lives;
mod positions;
mod pulling;
mod pushing;
mod restarts;

use super::fake::{FakeStream, SECOND, START, Sent, World, in_world, pull_config, push_config};
use super::{Confirmation, Consumer, Delivery, Event, ResetError};
use crate::config::{AckPolicy, ConsumerConfig, DeliverPolicy, PriorityPolicy, ReplayPolicy};
use crate::context::Context;

const MS: i64 = 1_000_000;

fn first(sent: &[Sent]) -> Delivery {
    sent.iter().find_map(Sent::delivery).expect("a delivery")
}
