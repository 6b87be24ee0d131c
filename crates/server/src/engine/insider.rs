//! A connection without a socket, for a part of the server that runs on a thread of its own and moves many
//! messages: frames reach it through an [`Intake`], and what it publishes is routed on its own thread.
//!
//! It is routed, counted and bounded like any client. What it says is staged until [`Insider::flush`], so a
//! destination gets one write for all that a turn of the thread brought it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_router::Subscription as _;
use recado_streams::jetstream::Traced;
use recado_wire::{Publish, push_message};

use super::account::Account;
use super::connection::{Connection, WriteLimits};
use super::deliver::Publisher;
use super::drops::Loss;
use super::ending::CloseReason;
use super::intake::Intake;
use super::link::Link;
use super::msg_trace::{Ticket, Trace};
use super::registry::Limit;
use super::route::Target;
use super::shared::Engine;
use super::subscription::{Origin, Subscription};
use super::worker::{CONGESTED_BYTES, Congestion, with_worker};
use crate::config::WriteTimeout;

/// Frames that wait for the thread in bytes, after which the connection is cut off and begins anew.
const PENDING_BYTES_MAX: usize = 512 * 1024 * 1024;
/// The thread may be busy with its disk, but not for longer than this.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);

/// One part of the server, as the engine sees it.
pub(crate) struct Insider {
    engine: Arc<Engine>,
    connection: Arc<Connection>,
    /// The account of each of its subscriptions, by sid.
    accounts: Mutex<HashMap<Box<[u8]>, Arc<Account>>>,
}

impl Insider {
    /// Connects a part of the server. It must run where a runtime of the engine is entered.
    pub(crate) fn connect(engine: &Arc<Engine>, intake: &Arc<Intake>) -> Option<Self> {
        let limits = Arc::new(WriteLimits::new(
            PENDING_BYTES_MAX,
            WRITE_DEADLINE,
            WriteTimeout::Close,
        ));
        let connection = engine.connections.add(Limit::Internal, |id, slot| {
            let link = Link::Intake(Arc::clone(intake));
            let standing = Arc::clone(engine.insider());
            Connection::new(id, slot, None, false, link, limits, standing)
        })?;
        Some(Self {
            engine: Arc::clone(engine),
            connection,
            accounts: Mutex::default(),
        })
    }

    /// Subscribes in an account; messages come with this sid. One sid can hold one subscription.
    pub(crate) fn subscribe(
        &self,
        account: &Arc<Account>,
        filter: &[u8],
        sid: &[u8],
        origin: Origin,
    ) {
        let sub = Subscription::new(&self.connection, true, filter, None, sid);
        let sub = Arc::new(sub.with_origin(origin));
        self.connection
            .subscriptions
            .lock()
            .insert(Arc::clone(&sub));
        self.accounts.lock().insert(sid.into(), Arc::clone(account));
        account.enter(sub);
        // It may be what it waits for itself, in another account.
        self.engine.newcomers.announce();
    }

    /// A stream did not take a message: for whoever asks after it.
    pub(crate) fn note_refused(
        &self,
        account: &Account,
        subject: &[u8],
        stream: &str,
        err_code: u16,
    ) {
        let stream = stream.into();
        let loss = Loss::Refused { stream, err_code };
        self.engine.drops().note(&account.name, subject, 0, loss);
    }

    /// The ticket of a traced message, and its headers without it; `None` for all others.
    pub(crate) fn take_ticket(&self, headers: &[u8]) -> Option<(Ticket, Vec<u8>)> {
        Ticket::take_off(headers)
    }

    /// Whether somebody waits for what becomes of this ticket's message. Else the trace waited too long, there were too
    /// many, or a client made the ticket up.
    pub(crate) fn is_awaited(&self, ticket: &Ticket) -> bool {
        self.engine.traces.knows(ticket)
    }

    /// What a stream makes of a traced message: whoever traces it is told, if that was all.
    pub(crate) fn answer_trace(&self, ticket: &Ticket, traced: Option<Traced>) {
        if let Some(trace) = self.engine.traces.answer(ticket, traced) {
            self.tell(trace);
        }
    }

    /// Tells what was waited for in vain: measured requests, and traces that streams did not answer.
    pub(crate) fn tell_overdue(&self) {
        for notice in self.engine.unanswered_requests() {
            let (subject, body) = (notice.subject.as_bytes(), &notice.body);
            self.publish(&notice.account, subject, b"", b"", body);
        }
        if self.engine.traces.is_any() {
            for trace in self.engine.traces.overdue(Instant::now()) {
                self.tell(trace);
            }
        }
        self.flush();
    }

    fn tell(&self, trace: Trace) {
        let told = trace.told(self.engine.speaker());
        let destination = told.destination.as_bytes();
        self.publish(&told.account, destination, b"", &told.headers, &told.body);
    }

    /// Whether it is no connection any more.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.connection.close_reason().is_some()
    }

    /// Takes a subscription back.
    pub(crate) fn unsubscribe(&self, sid: &[u8]) {
        let sub = self.connection.subscriptions.lock().remove(sid);
        let account = self.accounts.lock().remove(sid);
        if let (Some(sub), Some(account)) = (sub, account) {
            account.leave(&sub);
        }
    }

    /// Publishes like a client. `headers` is a whole block, or empty.
    pub(crate) fn publish(
        &self,
        account: &Arc<Account>,
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) {
        let joined: Vec<u8>;
        let body = if headers.is_empty() {
            payload
        } else {
            joined = [headers, payload].concat();
            &joined
        };
        let message = Publish {
            subject,
            reply,
            header_len: headers.len(),
            body,
            tail: b"",
            with_headers: !headers.is_empty(),
        };
        with_worker(|worker| {
            worker.publish(&self.engine, account, self.publisher(), &message, b"");
            if worker.is_full() {
                self.flush_worker(worker);
            }
        });
    }

    /// Hands a message to whoever is subscribed to `inbox`, with `subject` on it. Whether anybody took it.
    pub(crate) fn deliver(
        &self,
        account: &Arc<Account>,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        with_worker(|worker| {
            let taken = worker.deliver_as(
                &self.engine,
                account,
                self.publisher(),
                inbox,
                |out, sub| {
                    let headers = sub.takes_headers().then_some(headers);
                    push_message(out, subject, sub.sid(), reply, headers, payload);
                    headers.map_or(0, <[u8]>::len) + payload.len()
                },
            );
            if worker.is_full() {
                self.flush_worker(worker);
            }
            taken
        })
    }

    /// Whether anybody but this part itself is subscribed to `subject`, in `queue` where one is given.
    pub(crate) fn has_interest(
        &self,
        account: &Arc<Account>,
        subject: &[u8],
        queue: Option<&[u8]>,
    ) -> bool {
        self.any_subscriber(account, subject, |target| {
            queue.is_none() || target.sub.queue() == queue
        })
    }

    /// Whether a client, not only parts of the server, is subscribed to `subject`.
    pub(super) fn is_heard_by_clients(&self, account: &Arc<Account>, subject: &[u8]) -> bool {
        self.any_subscriber(account, subject, |target| {
            let connection = target.sub.connection.upgrade();
            connection.is_some_and(|connection| connection.peer.is_some())
        })
    }

    /// Whether anybody but this part itself is subscribed to `subject` by that very name: in `queue` where one is
    /// given, plainly where none is.
    pub(crate) fn is_listened_to(
        &self,
        account: &Arc<Account>,
        subject: &[u8],
        queue: Option<&[u8]>,
    ) -> bool {
        self.any_subscriber(account, subject, |target| {
            // In another account the subject may have another name, but is one only if it is written out.
            let is_named = match target.elsewhere {
                true => !recado_wire::has_wildcard(target.sub.filter()),
                false => target.sub.filter() == subject,
            };
            is_named && target.sub.queue() == queue
        })
    }

    /// Whether anybody else whom `subject` reaches, and who is still there, is one `that`. What it listens to in another
    /// account is somebody else's.
    fn any_subscriber(
        &self,
        account: &Arc<Account>,
        subject: &[u8],
        that: impl Fn(&Target) -> bool,
    ) -> bool {
        let own = self.connection.id;
        with_worker(|worker| {
            worker.any_target(account, subject, |target| {
                let open = || target.sub.connection.upgrade();
                (target.connection_id != own || target.elsewhere)
                    && that(target)
                    && open().is_some_and(|open| open.close_reason().is_none())
            })
        })
    }

    /// Whether so much waits for the subscribers of `subject` that they should not get more right now.
    pub(crate) fn is_congested(&self, account: &Arc<Account>, subject: &[u8]) -> bool {
        with_worker(|worker| {
            worker.any_target(account, subject, |target| {
                let open = target.sub.connection.upgrade();
                open.is_some_and(|open| open.waiting_bytes() > CONGESTED_BYTES)
            })
        })
    }

    /// Writes what was published and delivered since the last time.
    pub(crate) fn flush(&self) {
        with_worker(|worker| self.flush_worker(worker));
    }

    fn flush_worker(&self, worker: &mut super::worker::Worker) {
        let mut congestion = Congestion::default();
        worker.flush(b"", self.connection.id, None, &mut congestion);
        worker.tell(&self.engine);
        worker.stage.start_batch();
    }

    fn publisher(&self) -> Publisher<'_> {
        Publisher {
            connection: &self.connection,
            echo: true,
            no_responders: false,
        }
    }
}

/// Nobody may go on delivering to a thread that is gone.
impl Drop for Insider {
    fn drop(&mut self) {
        self.connection.close(CloseReason::ServerShutdown);
        let subs = self.connection.subscriptions.lock().take_all();
        let accounts = std::mem::take(&mut *self.accounts.lock());
        for sub in subs {
            if let Some(account) = accounts.get(sub.sid()) {
                account.leave(&sub);
            }
        }
        self.engine.connections.remove(&self.connection);
    }
}
