//! What a publisher is told in the middle of a fast batch (E94), before the ack that ends it.

use serde::Serialize;

use crate::error::ApiError;

/// A message to the publisher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum BatchFlow {
    /// So far it went well.
    Ack {
        /// Place in the batch of what was stored last.
        seq: u64,
        /// The next of these comes after so many messages.
        msgs: u16,
    },
    /// Some got lost on the way.
    Gap {
        /// Place in the batch that was expected.
        last_seq: u64,
        /// Place in the batch that came.
        seq: u64,
    },
    /// One was refused.
    Err {
        /// Its place in the batch.
        seq: u64,
        /// Why.
        error: ApiError,
    },
}

impl BatchFlow {
    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // It has texts and numbers only, so it can't fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::BAD_REQUEST;

    #[test]
    fn each_names_its_type() {
        let sent =
            |flow: BatchFlow| -> Value { serde_json::from_slice(&flow.to_json()).expect("JSON") };
        assert_eq!(
            sent(BatchFlow::Ack { seq: 1, msgs: 2 }),
            json!({"type": "ack", "seq": 1, "msgs": 2})
        );
        let gap = BatchFlow::Gap {
            last_seq: 3,
            seq: 5,
        };
        assert_eq!(sent(gap), json!({"type": "gap", "last_seq": 3, "seq": 5}));
        let error = ApiError::new(&BAD_REQUEST);
        assert_eq!(
            sent(BatchFlow::Err { seq: 4, error })["error"]["err_code"],
            10003
        );
    }
}
