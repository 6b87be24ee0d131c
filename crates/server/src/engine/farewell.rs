//! How a connection ends: with its last words where there are any, and out of everything that
//! knows it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use recado_session::Goodbye;
use recado_wire::{ProtocolError, push_err};

use super::closed::{Closed, Held};
use super::counters::bump;
use super::ending::{CloseReason, TLS_HANDSHAKE, WEBSOCKET_HANDSHAKE};
use super::events::Event;
use super::link::Link;
use super::reader::Reader;
use super::shared::Engine;

/// A last `-ERR` is given so long to reach the client before the socket closes.
const LINGER_MAX: Duration = Duration::from_millis(500);
/// Subscriptions removed in one go when a connection ends, before others get their turn.
const REMOVE_CHUNK: usize = 4096;

/// No room: says so behind the INFO, as clients expect (A64), where that can be said before TLS or an upgrade.
pub(super) fn refuse(engine: &Engine, link: &Link, peer: Option<SocketAddr>, in_clear: bool) {
    let id = engine.connections.spare_id();
    if in_clear {
        let mut bytes = engine.info_line(id, peer, None, None);
        push_err(&mut bytes, &ProtocolError::MaxConnections);
        // A fresh socket takes a few hundred bytes at once, or its other side is gone.
        let _ = link.try_write(&bytes);
    }
    link.shutdown(std::net::Shutdown::Write);
    if let Some(peer) = peer {
        let reason = CloseReason::MaxConnections;
        engine
            .closed
            .push(&Arc::new(Closed::refused(id, peer, reason)));
    }
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    tracing::error!(%peer, "maximum connections exceeded");
}

impl Reader {
    /// Tells the client why, and sees that it can hear it: a socket closed over unread input
    /// would be reset, and the last words lost. What that is called afterwards.
    pub(super) async fn say_goodbye(&mut self, goodbye: Goodbye) -> CloseReason {
        let ending = CloseReason::of(&goodbye);
        if ending == CloseReason::Stale {
            bump(&self.engine.counters.stale);
        }
        let Goodbye { told, reason } = goodbye;
        let connection = &self.connection;
        let error = told.as_ref().map(|told| told.text()).unwrap_or_default();
        let (cid, peer, name) = (connection.id, connection.peer_text(), connection.name());
        tracing::error!(cid, %peer, %name, %error, reason, "client connection ended by the server");
        match &told {
            Some(told) => {
                let mut bytes = Vec::new();
                push_err(&mut bytes, told);
                connection.deliver_bytes(&bytes);
            }
            None if told_in_passing(reason) => {}
            None => return ending,
        }
        let connection = Arc::clone(connection);
        let lingering = async {
            connection.finish_writing(ending).await;
            self.read_to_end().await;
        };
        // Past the time the socket is closed as it is.
        let _ = tokio::time::timeout(LINGER_MAX, lingering).await;
        ending
    }

    /// Reads and forgets until the other side closes.
    async fn read_to_end(&mut self) {
        let mut sink = Vec::with_capacity(16 * 1024);
        loop {
            sink.clear();
            match std::future::poll_fn(|cx| self.read.poll_read(cx, &mut sink)).await {
                Ok(arrived) if arrived.bytes > 0 => {}
                _ => return,
            }
        }
    }

    /// Takes the connection out of everything that knows it, and lets others have their turn
    /// between its subscriptions where they are many.
    pub(super) async fn clean_up(mut self: Box<Self>, reason: CloseReason) {
        self.connection.close(reason);
        let held = Held::of(&self.connection);
        self.drop_subscriptions().await;
        let reason = self.connection.close_reason().unwrap_or(reason).text();
        let (cid, traffic) = (self.connection.id, &self.connection.traffic);
        tracing::debug!(
            cid,
            reason,
            in_messages = traffic.in_messages.load(Ordering::Relaxed),
            in_bytes = traffic.in_bytes.load(Ordering::Relaxed),
            out_messages = traffic.out_messages.load(Ordering::Relaxed),
            out_bytes = traffic.out_bytes.load(Ordering::Relaxed),
            "client connection closed"
        );
        self.leave_everything(held);
    }

    /// Ends all subscriptions, a part at a time.
    pub(super) async fn drop_subscriptions(&self) {
        let subs = self.connection.subscriptions.lock().take_all();
        for chunk in subs.chunks(REMOVE_CHUNK) {
            for sub in chunk {
                self.account.leave(sub);
            }
            tokio::task::yield_now().await;
        }
    }

    /// As [`Reader::clean_up`], at once. `held` is what it was subscribed to.
    pub(super) fn leave_everything(&mut self, held: Held) {
        self.cleaned_up = true;
        self.connection.close(CloseReason::Read);
        let mut departed = None;
        if let Some(peer) = self.connection.address() {
            let closed = Arc::new(Closed::of(&self.connection, peer, held));
            self.engine.closed.push(&closed);
            departed = Some(closed);
        }
        let subs = self.connection.subscriptions.lock().take_all();
        for sub in subs {
            self.account.leave(&sub);
        }
        self.leave_account();
        if let Some(closed) = departed {
            self.engine.note_event(|| Event::Disconnected(closed));
        }
        self.engine.connections.remove(&self.connection);
    }
}

/// Whether the other side was told already, by an alert or in HTTP, as long as it is not cut off before it reads that.
fn told_in_passing(reason: &str) -> bool {
    reason == TLS_HANDSHAKE || reason == WEBSOCKET_HANDSHAKE
}
