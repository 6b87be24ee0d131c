//! The JetStream API in types: which call a subject is, what its body asks, what the answer holds, status lines
//! and advisories. Bytes in, values out and back; nothing here acts.

pub mod advisory;
mod batch_flow;
mod call;
mod consumer_request;
pub mod header;
mod info;
mod next_request;
mod pub_ack;
mod request;
mod response;
pub mod status;

pub use batch_flow::BatchFlow;
pub use call::{
    API_PREFIX, ApiCall, ConsumerCall, ConsumerCreateCall, RequestKind, is_call, strip_prefix,
};
pub use consumer_request::*;
pub use info::*;
pub use next_request::{BadNextRequest, NextRequest};
pub use pub_ack::{PubAck, append_pub_refusal};
pub use request::*;
pub use response::*;
