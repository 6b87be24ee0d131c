//! How a client ends: its last words, what is under way to it, and what is kept of its session.

use super::incoming::{Message, Speaker};
use super::keeper::Trouble;
use super::peer::{End, LINE_ROOM, LastWords, Peer};
use crate::engine::CloseReason;

impl Peer {
    /// Ends the client.
    pub(super) async fn finish(mut self, end: End) {
        let reason = self.tell(&end);
        let will = self.will.take().filter(|_| speaks_last(&end, reason));
        if let Some(will) = will
            && let Err(trouble) = self.publish_will(&will).await
        {
            let cid = self.user.connection.id;
            tracing::error!(cid, %trouble, "the will of an MQTT client is not stored");
        }
        self.settle_last_messages().await;
        // What it should still hear goes first, as far as it takes it.
        if !self.out.is_empty() {
            self.outside.deliver_bytes(&self.out);
        }
        self.user.connection.close(reason);
        self.outside.close(reason);
        if let Err(trouble) = self.keep_session().await {
            let cid = self.user.connection.id;
            tracing::error!(cid, %trouble, "the session of an MQTT client is not as it should be: what was under way is sent again under other packet identifiers");
        }
    }

    /// Waits until the engine took what was published: once the connection is closed it does not read on.
    async fn settle_last_messages(&mut self) {
        if self.user.connection.close_reason().is_some() {
            return;
        }
        self.user.say("PING\r\n");
        let settled = self.user.settle(|_| {});
        // What an engine that does not answer would have taken is lost with it.
        let _ = tokio::time::timeout(self.options.js_api_timeout, settled).await;
    }

    /// Says why in the log; what that is called.
    fn tell(&self, end: &End) -> CloseReason {
        let connection = &self.user.connection;
        let (cid, peer) = (connection.id, connection.peer_text());
        let client_id = crate::visible::visible(&self.session.client_id);
        match end {
            End::Left => CloseReason::ClientClosed,
            End::Gone(reason) => *reason,
            End::Engine => connection
                .close_reason()
                .unwrap_or(CloseReason::ServerShutdown),
            End::Stopping => CloseReason::ServerShutdown,
            End::Silent => {
                tracing::warn!(cid, %peer, %client_id, "MQTT client said nothing for one and a half times its keep-alive");
                CloseReason::Stale
            }
            End::Fault(reason, fault) => {
                tracing::error!(cid, %peer, %client_id, "MQTT protocol error: {fault}");
                *reason
            }
            End::Trouble(trouble) => {
                // A stream may be gone: it is made again when the next client comes.
                let account = &connection.account().name;
                self.engine.mqtt_sessions.set_ready(account, false);
                tracing::error!(cid, %peer, %client_id, "MQTT client disconnected: {trouble}");
                CloseReason::ProtocolViolation
            }
        }
    }

    async fn publish_will(&mut self, words: &LastWords) -> Result<(), Trouble> {
        let LastWords { subject, will } = words;
        let renamed = self.renamed(subject.clone());
        if !self.may_publish(&renamed) {
            return Ok(());
        }
        let most = self.engine.manner().session.parse.max_control_line;
        if renamed.len() + LINE_ROOM > most {
            let why = format!(
                "the account renames its topic to one that is longer than max_control_line ({most}) allows"
            );
            return Err(Trouble::Unusable(why));
        }
        let message = Message {
            subject: &renamed,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
        };
        let speaker = match self.user.connection.close_reason() {
            Some(_) => Speaker::Server,
            None => Speaker::Client,
        };
        let waits = self.pass_on(&message, speaker);
        for number in waits {
            self.keeper.settled(number, "a will").await?;
        }
        self.keeper.flush().await
    }

    /// What is under way comes again when the client does; of a clean session nothing is left.
    async fn keep_session(&mut self) -> Result<(), Trouble> {
        if self.session.is_clean {
            return self.session.clear(&mut self.keeper).await;
        }
        self.note_undelivered().await?;
        // A consumer that the record does not have would keep messages for nobody.
        match self.session.is_unsaved || !self.session.in_flight.sent().is_empty() {
            true => self.session.save_for_return(&mut self.keeper).await,
            false => self.keeper.flush().await,
        }
    }
}

/// Whether the will of a client that ended so is published. One that another took the place of goes on there; whose
/// credential was taken back has nothing to say.
fn speaks_last(end: &End, reason: CloseReason) -> bool {
    !matches!(end, End::Left | End::Stopping)
        && !matches!(
            reason,
            CloseReason::DuplicateClientId
                | CloseReason::AuthenticationExpired
                | CloseReason::AuthenticationRevoked
                | CloseReason::ServerShutdown
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_lost_speaks_last_and_whoever_leaves_does_not() {
        assert!(speaks_last(
            &End::Gone(CloseReason::Read),
            CloseReason::Read
        ));
        assert!(speaks_last(&End::Silent, CloseReason::Stale));
        assert!(!speaks_last(&End::Left, CloseReason::ClientClosed));
        assert!(!speaks_last(&End::Engine, CloseReason::DuplicateClientId));
        assert!(!speaks_last(&End::Stopping, CloseReason::ServerShutdown));
    }
}
