//! What a state machine is given while it acts: the time, chance, where messages go.

/// Where the state machines' messages go.
pub trait Outlet {
    /// Publishes a message; it is routed like a client's. `headers` is a whole block, or empty.
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]);

    /// Hands a message to whoever listens on `inbox`, as coming from `subject`: how a pull request or a push
    /// consumer's deliver subject gets a message with the message's own subject on it. `reply` is the ack
    /// subject, or empty. Whether anybody took it.
    fn deliver(
        &mut self,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool;

    /// Whether anybody is subscribed to `subject` (in `queue`, where one is given).
    fn has_interest(&self, subject: &[u8], queue: Option<&[u8]>) -> bool;

    /// Whether anybody is subscribed to just this subject, and not by a wildcard: in `queue` where one is given,
    /// plainly where none is. That is how a push consumer's subject is listened to. Who does not tell filters
    /// apart may leave it at interest.
    fn is_listened_to(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        self.has_interest(subject, queue)
    }

    /// Whether so much waits for the subscribers of `subject` that they should not get more right now.
    fn is_congested(&self, subject: &[u8]) -> bool;

    /// Has messages on `filter` come in, with this sid on them. A sid stands for one filter.
    fn subscribe(&mut self, filter: &[u8], sid: &[u8]);

    /// The same, and each message that names a call ([`crate::api::is_call`]) says who published it: in its last
    /// header, which is [`crate::api::header::REQUEST_INFO`]. Who can't tell may leave it at that.
    fn subscribe_to_calls(&mut self, filter: &[u8], sid: &[u8]) {
        self.subscribe(filter, sid);
    }

    /// A stream did not take a message that was published on `subject`: for whoever keeps account of what was dropped.
    fn refused(&mut self, _subject: &[u8], _stream: &str, _err_code: u16) {}

    /// Takes that back.
    fn unsubscribe(&mut self, sid: &[u8]);
}

/// Number of an account, as the one gives it who routes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

/// Where the messages of many accounts go. What goes to one of them never reaches another.
pub trait Exchange {
    /// The part of it that is one account's.
    fn of(&mut self, account: AccountId) -> &mut dyn Outlet;
}

/// Where nobody is: while a store is opened, and for accounts that are not served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Outlet for Nobody {
    fn publish(&mut self, _: &[u8], _: &[u8], _: &[u8], _: &[u8]) {}

    fn deliver(&mut self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn has_interest(&self, _: &[u8], _: Option<&[u8]>) -> bool {
        false
    }

    fn is_congested(&self, _: &[u8]) -> bool {
        false
    }

    fn subscribe(&mut self, _: &[u8], _: &[u8]) {}

    fn unsubscribe(&mut self, _: &[u8]) {}
}

impl Exchange for Nobody {
    fn of(&mut self, _: AccountId) -> &mut dyn Outlet {
        self
    }
}

/// One call's surroundings, where there are many accounts.
pub struct Surroundings<'a> {
    /// Unix time in nanoseconds.
    pub now_ns: i64,
    /// Random numbers, even but not secret.
    pub random: &'a mut dyn FnMut() -> u64,
    /// Where messages go.
    pub exchange: &'a mut dyn Exchange,
}

/// One call's surroundings.
pub struct Context<'a> {
    /// Unix time in nanoseconds.
    pub now_ns: i64,
    /// Random numbers, even but not secret.
    pub random: &'a mut dyn FnMut() -> u64,
    /// Where messages go.
    pub out: &'a mut dyn Outlet,
}
