//! What a new configuration means for those who are connected (D55): some have to go, some may do less or more.

use std::sync::Arc;

use hashbrown::HashMap;
use recado_router::Subscription as _;
use recado_session::{Goodbye, subscription_violation};
use recado_wire::{ProtocolError, push_err};

use super::account::Account;
use super::connection::Connection;
use super::door::Way;
use super::operations::judge;
use super::shared::Engine;
use super::standing::Standing;
use super::subscription::Subscription;
use super::tls::hexadecimal_of;

/// What becomes of a client.
pub(crate) enum Verdict {
    /// It stays as it is.
    Same,
    /// It stays, as this.
    As(Arc<Standing>),
    /// It has to go.
    Go(Goodbye),
}

impl Engine {
    /// Holds every client against what is configured now; says how many have to go. They are told so
    /// by their own tasks, after this returns.
    pub(crate) fn reconsider(&self, judge: impl Fn(&Connection) -> Verdict) -> usize {
        self.reconsider_in(|_| true, judge)
    }

    /// The same for the clients of some accounts.
    pub(crate) fn reconsider_in(
        &self,
        concerned: impl Fn(&Account) -> bool,
        judge: impl Fn(&Connection) -> Verdict,
    ) -> usize {
        let mut gone = 0;
        let mut staying = Vec::new();
        for connection in self.connections.all() {
            if !concerned(&connection.account()) {
                continue;
            }
            if connection.peer.is_none() {
                connection.notify();
                continue;
            }
            // Whom nobody knows yet has still to say CONNECT, and is judged then.
            let verdict = match Arc::ptr_eq(&connection.standing(), self.nobody()) {
                true => Verdict::Same,
                false => judge(&connection),
            };
            match verdict {
                Verdict::Go(goodbye) => {
                    connection.dismiss(goodbye);
                    gone += 1;
                    continue;
                }
                Verdict::As(standing) => take_over(&connection, standing),
                Verdict::Same => {}
            }
            connection.notify();
            self.introduce_again(&connection);
            staying.push(connection);
        }
        gone += self.send_newest_of_accounts_away(&mut staying);
        gone + self.send_newest_away(staying)
    }

    /// Ends those that came this way with a certificate whose key is not among these (C17); says how many.
    pub(crate) fn dismiss_unpinned(&self, way: Way, pins: &[[u8; 32]]) -> usize {
        if pins.is_empty() {
            return 0;
        }
        let pins: Vec<String> = pins.iter().map(|pin| hexadecimal_of(pin)).collect();
        let is_pinned = |connection: &Connection| {
            let facts = connection.tls();
            let digests = facts.and_then(|facts| facts.digests.as_ref());
            digests.is_some_and(|digests| pins.contains(&digests.key))
        };
        let came = |connection: &Connection| {
            connection.peer.is_some() && connection.tls().is_some() && connection.way() == way
        };
        let all = self.connections.all();
        let gone = all.iter().filter(|one| came(one) && !is_pinned(one));
        gone.map(|connection| {
            connection.dismiss(Goodbye::unauthorized(
                "the key of its certificate is not among pinned_certs any more",
            ));
        })
        .count()
    }

    /// INFO as it is now, to those who understand it.
    fn introduce_again(&self, connection: &Arc<Connection>) {
        if connection
            .takes_async_info
            .load(std::sync::atomic::Ordering::Relaxed)
        {
            let line = self.info_for(connection, Some(&connection.account()), None);
            connection.deliver_bytes(&line);
        }
    }

    /// More than an account may have: those that came last have to go.
    fn send_newest_of_accounts_away(&self, clients: &mut Vec<Arc<Connection>>) -> usize {
        clients.sort_by_key(|connection| connection.id);
        let mut counts: HashMap<u32, usize> = HashMap::new();
        let before = clients.len();
        clients.retain(|connection| {
            let account = connection.account();
            // Who has not said CONNECT is not one of an account's clients yet.
            let Some(most) = account
                .terms()
                .limits
                .max_connections
                .filter(|_| connection.client.get().is_some())
            else {
                return true;
            };
            let count = counts.entry(account.number).or_default();
            *count += 1;
            if *count <= most {
                return true;
            }
            connection.dismiss(Goodbye {
                told: Some(ProtocolError::MaxAccountConnections),
                reason: "its account may have fewer connections than there are",
            });
            false
        });
        before - clients.len()
    }

    /// More than may be: those that came last have to go.
    fn send_newest_away(&self, mut clients: Vec<Arc<Connection>>) -> usize {
        let Some(most) = self.manner().max_connections else {
            return 0;
        };
        clients.sort_by_key(|connection| connection.id);
        let too_many = clients.split_off(most.min(clients.len()));
        for connection in &too_many {
            connection.dismiss(Goodbye {
                told: Some(ProtocolError::MaxConnections),
                reason: "max_connections was lowered below the connections that there are",
            });
        }
        too_many.len()
    }
}

/// A client may do something else from now on: subscriptions that it may not have any more end, others are filtered
/// anew (C35).
fn take_over(connection: &Arc<Connection>, standing: Arc<Standing>) {
    let account = Arc::clone(&standing.account);
    let permissions = standing.permissions().cloned();
    connection.set_standing(standing);
    let held: Vec<Arc<Subscription>> = connection.subscriptions.lock().iter().cloned().collect();
    for sub in held {
        match judge(permissions.as_ref(), sub.filter(), sub.queue()) {
            Some(special) => {
                let again = Arc::new(sub.again(special));
                {
                    let mut table = connection.subscriptions.lock();
                    // It may have ended meanwhile.
                    if !table
                        .get(sub.sid())
                        .is_some_and(|one| Arc::ptr_eq(one, &sub))
                    {
                        continue;
                    }
                    table.remove(sub.sid());
                    table.insert(Arc::clone(&again));
                }
                account.replace(&sub, again);
            }
            None => {
                connection.subscriptions.lock().remove(sub.sid());
                account.leave(&sub);
                tell_revoked(connection, &sub);
            }
        }
    }
}

/// `-ERR 'Permissions Violation for Subscription to "S" (sid "N")'` (A88).
fn tell_revoked(connection: &Arc<Connection>, sub: &Subscription) {
    let ProtocolError::SubscriptionViolation { subject, detail } =
        subscription_violation(sub.filter(), sub.queue())
    else {
        return;
    };
    let detail = format!("{detail} (sid \"{}\")", sub.sid().escape_ascii()).into();
    let mut bytes = Vec::new();
    push_err(
        &mut bytes,
        &ProtocolError::SubscriptionViolation { subject, detail },
    );
    connection.deliver_bytes(&bytes);
}
