//! What comes back from consumers' clients: acks, and answers to flow control.

use recado_log::Journal;

use super::{Incoming, JetStream};
use crate::consumer::{AckSubject, Confirmation};
use crate::context::Context;

impl JetStream {
    /// A message on an ack subject (E139, E140).
    pub(super) fn handle_ack(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        let Some(ack) = AckSubject::parse(message.subject) else {
            return;
        };
        let (Ok(stream), Ok(name)) = (
            std::str::from_utf8(ack.stream),
            std::str::from_utf8(ack.consumer),
        ) else {
            return;
        };
        let Some(&id) = self.names.get(stream) else {
            return;
        };
        let reply = message.reply;
        self.act_on(context, journal, id, name, |consumer, context, source| {
            let asked = consumer.ack(context, source, ack.delivery, message.payload, reply);
            let owed = asked == Confirmation::Owed && !reply.is_empty();
            owed.then(|| reply.into())
        });
    }

    /// A client has caught up with what flow control asked: `$JS.FC.<stream>.<consumer>.<random>` (E114).
    pub(super) fn handle_flow_control(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        let tokens: Vec<&[u8]> = message.subject.split(|&byte| byte == b'.').collect();
        // The long form has a domain and an account in front (H20).
        let (stream, name) = match *tokens.as_slice() {
            [_, _, stream, name, _] => (stream, name),
            [_, _, _, _, stream, name, _, ..] => (stream, name),
            _ => return,
        };
        let (Ok(stream), Ok(name)) = (std::str::from_utf8(stream), std::str::from_utf8(name))
        else {
            return;
        };
        let Some(&id) = self.names.get(stream) else {
            return;
        };
        self.act_on(context, journal, id, name, |consumer, context, source| {
            consumer.flow_control(context, source, message.subject, message.headers);
            None
        });
    }
}
