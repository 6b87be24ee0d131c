//! What comes back from consumers' clients: acks, and answers to flow control.

use recado_log::Journal;

use super::{Incoming, JetStream};
use crate::consumer::{AckSubject, Confirmation};
use crate::context::Context;

impl JetStream {
    /// A message on an ack subject (E139, E140). Where no consumer takes it, it is as if nobody had subscribed.
    pub(super) fn handle_ack(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        if !self.take_ack(context, journal, message) {
            say_nobody_there(context, message);
        }
    }

    /// Hands an ack to its consumer; whether there is one that takes acks.
    fn take_ack(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) -> bool {
        let Some(ack) = AckSubject::parse(message.subject) else {
            return false;
        };
        let (Ok(stream), Ok(name)) = (
            std::str::from_utf8(ack.stream),
            std::str::from_utf8(ack.consumer),
        ) else {
            return false;
        };
        let Some(&id) = self.names.get(stream) else {
            return false;
        };
        if let Some(reason) = message.payload.strip_prefix(b"+TERM") {
            let sequence = ack.delivery.stream_seq;
            if !self.copy_before_termination(context, journal, (id, name), sequence, reason) {
                return true;
            }
        }
        let reply = message.reply;
        let mut taken = false;
        self.act_on(context, journal, id, name, |consumer, context, source| {
            let asked = consumer.ack(context, source, ack.delivery, message.payload, reply);
            taken = asked != Confirmation::Untaken;
            let owed = asked == Confirmation::Owed && !reply.is_empty();
            owed.then(|| reply.into())
        });
        taken
    }

    /// A client has caught up with what flow control asked: `$JS.FC.<stream>.<consumer>.<random>` (E114).
    pub(super) fn handle_flow_control(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        if !self.take_flow_control(context, journal, message) {
            say_nobody_there(context, message);
        }
    }

    fn take_flow_control(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) -> bool {
        let tokens: Vec<&[u8]> = message.subject.split(|&byte| byte == b'.').collect();
        // The long form has a domain and an account in front (H20).
        let (stream, name) = match *tokens.as_slice() {
            [_, _, stream, name, _] => (stream, name),
            [_, _, _, _, stream, name, _, ..] => (stream, name),
            _ => return false,
        };
        let (Ok(stream), Ok(name)) = (std::str::from_utf8(stream), std::str::from_utf8(name))
        else {
            return false;
        };
        let Some(&id) = self.names.get(stream) else {
            return false;
        };
        self.act_on(context, journal, id, name, |consumer, context, source| {
            consumer.flow_control(context, source, message.subject, message.headers);
            None
        })
    }
}

/// Nobody takes the message: whoever waits for an answer is told at once.
pub(super) fn say_nobody_there(context: &mut Context<'_>, message: &Incoming<'_>) {
    if !message.reply.is_empty() && !context.out.has_interest(message.subject, None) {
        let block = recado_wire::no_responders_block(message.subject);
        context.out.publish(message.reply, b"", &block, b"");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::jetstream::Incoming;
    use crate::jetstream::world::World;

    fn create_consumer(world: &mut World, name: &str, policy: &str) {
        let config = json!({"name": name, "durable_name": name, "ack_policy": policy});
        let request = json!({"stream_name": "S", "config": config});
        let answer = world.api(&format!("CONSUMER.CREATE.S.{name}"), &request);
        assert!(answer["error"].is_null(), "{answer}");
    }

    fn say(world: &mut World, (sid, subject): (&[u8], &str), reply: &str) {
        world.act(|jetstream, context, journal| {
            let message = Incoming {
                sid,
                subject: subject.as_bytes(),
                reply: reply.as_bytes(),
                headers: b"",
                payload: b"+NXT",
            };
            jetstream.handle(context, journal, &message);
        });
        world.batch();
    }

    #[test]
    fn who_acknowledges_to_nobody_is_told_at_once() {
        let mut world = World::new();
        world.create(&json!({"name": "S", "subjects": ["s.>"]}));
        create_consumer(&mut world, "explicit", "explicit");
        create_consumer(&mut world, "none", "none");
        world.publish("s.x", "", "one");
        world.api("STREAM.INFO.S", &Value::Null);
        let taken = (&b"k"[..], "$JS.ACK.S.explicit.1.1.1.1.0");
        say(&mut world, taken, "answer");
        assert!(
            world
                .seen("answer")
                .iter()
                .all(|(headers, _)| !headers.contains("503"))
        );
        for nobody in [
            (&b"k"[..], "$JS.ACK.S.gone.1.1.1.1.0"),
            (b"k", "$JS.ACK.T.c.1.1.1.1.0"),
            (b"k", "$JS.ACK.S.none.1.1.1.1.0"),
            (b"k", "$JS.ACK.S"),
            (b"f", "$JS.FC.S.gone.x"),
            (b"f", "$JS.FC.S"),
        ] {
            world.api("STREAM.INFO.S", &Value::Null);
            say(&mut world, nobody, "inbox");
            let status = format!("NATS/1.0 503\r\nNats-Subject: {}\r\n\r\n", nobody.1);
            assert_eq!(world.seen("inbox"), [(status, String::new())]);
            say(&mut world, nobody, "");
        }
    }
}
