//! Who asked for something that changes the server, for the log: requests over `$SYS` leave a trace of whom they came
//! from. Nothing of what they carried is told.

use serde_json::Value;

/// Characters of a subject that the log tells.
const SUBJECT_CHARS_MAX: usize = 256;

/// A client that asks.
pub(crate) struct Asker {
    account: String,
    /// Its user's name or public key; empty: it has none, or came by a token.
    user: String,
    cid: u64,
    /// Empty: it is a part of the server.
    address: String,
    /// Where it asked.
    subject: String,
}

impl Asker {
    /// Of what the engine put behind the request's headers.
    pub(super) fn of(origin: &Value, subject: &str) -> Self {
        let text = |key: &str| origin[key].as_str().unwrap_or_default().to_owned();
        let (host, port) = (text("host"), origin["port"].as_u64());
        Self {
            account: text("acc"),
            user: text("user"),
            cid: origin["id"].as_u64().unwrap_or_default(),
            address: match port {
                Some(port) if host.contains(':') => format!("[{host}]:{port}"),
                Some(port) => format!("{host}:{port}"),
                None => host,
            },
            subject: subject.chars().take(SUBJECT_CHARS_MAX).collect(),
        }
    }

    /// Whether it is a client, and no part of the server.
    pub(crate) fn is_client(&self) -> bool {
        !self.address.is_empty()
    }

    /// As one text, for a line that is about somebody else's account.
    pub(crate) fn shown(&self) -> String {
        let Self {
            account,
            user,
            cid,
            address,
            subject,
        } = self;
        format!("{account}/{user} cid {cid} {address} over {subject}")
    }

    /// Tells that it asked for this, and about which client (0: none).
    pub(super) fn tell(&self, what: &'static str, about_cid: u64) {
        let about_cid = (about_cid != 0).then_some(about_cid);
        tracing::info!(by = self.shown(), about_cid, "{what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_asks_is_named_and_a_long_subject_is_cut() {
        let origin = json!({"acc": "SYS", "id": 7, "user": "root", "host": "::1", "port": 4222});
        let asker = Asker::of(&origin, &"x".repeat(1000));
        assert!(
            asker
                .shown()
                .starts_with("SYS/root cid 7 [::1]:4222 over xxx"),
            "{}",
            asker.shown()
        );
        assert_eq!(asker.subject.len(), SUBJECT_CHARS_MAX);
        let nobody = Asker::of(&json!({}), "a");
        assert_eq!((nobody.cid, nobody.address.as_str()), (0, ""));
    }
}
