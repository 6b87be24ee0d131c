//! Where the state machines' messages go: to the engine, as one of its connections.

use recado_streams::context::Outlet;

use crate::engine::{Insider, Origin};

/// The engine, as the state machines see it.
pub(super) struct EngineOutlet<'a>(pub(super) &'a Insider);

impl Outlet for EngineOutlet<'_> {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        self.0
            .publish(self.0.global(), subject, reply, headers, payload);
    }

    fn deliver(
        &mut self,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        self.0
            .deliver(self.0.global(), inbox, subject, reply, headers, payload)
    }

    fn has_interest(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        self.0.has_interest(self.0.global(), subject, queue)
    }

    fn is_listened_to(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        self.0.is_listened_to(self.0.global(), subject, queue)
    }

    fn is_congested(&self, subject: &[u8]) -> bool {
        self.0.is_congested(self.0.global(), subject)
    }

    fn subscribe(&mut self, filter: &[u8], sid: &[u8]) {
        self.0
            .subscribe(self.0.global(), filter, sid, Origin::Untold);
    }

    fn subscribe_to_calls(&mut self, filter: &[u8], sid: &[u8]) {
        self.0
            .subscribe(self.0.global(), filter, sid, Origin::ToldOfCalls);
    }

    fn unsubscribe(&mut self, sid: &[u8]) {
        self.0.unsubscribe(sid);
    }
}

/// Where nobody is, while a store is opened.
pub(super) struct Nobody;

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
