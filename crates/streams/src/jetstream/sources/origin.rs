//! The stream that a feed takes from: finding it, where to begin there, and, if it keeps messages only for its
//! consumers, telling it what is done with (E157): a durable consumer stands for the feed there.

use std::collections::BTreeMap;

use recado_log::Journal;

use super::feed::{Feed, Role};
use super::header;
use crate::config::{AckPolicy, ConsumerConfig, DeliverPolicy, FLOW_CONTROL_HEARTBEAT, Retention};
use crate::consumer::Consumer;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::index::{Filters, Scan};
use crate::jetstream::JetStream;
use crate::jetstream::consumers::{ConsumerSlot, StreamSource};
use crate::jetstream::events::unique_id;
use crate::stream::Stream;

/// Messages that the consumer may have waiting, as nats-server sets it. None ever does.
const ACK_PENDING_MAX: i64 = 1000;
/// Messages that one look for settled ones passes.
const SCAN_MAX: usize = 1 << 20;

impl JetStream {
    /// The stream that a feed takes from; why there is none.
    pub(super) fn find_origin(&self, feed: &Feed) -> Result<u32, ApiError> {
        let found = self.names.get(&feed.config.name);
        found
            .copied()
            .ok_or_else(|| ApiError::new(&error::STREAM_NOT_FOUND))
    }

    /// Readies a feed to take from `origin`: where it begins, and who stands for it there.
    pub(super) fn link(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        origin_id: u32,
        feed: &mut Feed,
    ) -> Result<(), ApiError> {
        let Some(origin) = self.streams.get(&origin_id) else {
            return Err(ApiError::new(&error::STREAM_NOT_FOUND));
        };
        let (retention, identity) = (origin.config.retention, header::identity(origin.created_ns));
        match feed.role {
            Role::Mirror => self.begin_mirror(journal, id, origin_id, feed),
            Role::Source => {
                if !feed.identity.is_empty() && feed.identity != identity {
                    // Another stream has its name now: all of it is new.
                    feed.begin_behind(0);
                }
                feed.cursor = match feed.taken {
                    0 => self.first_wanted(journal, origin_id, feed).unwrap_or(1),
                    taken => taken + 1,
                };
            }
        }
        feed.identity = identity;
        feed.settled = 0;
        if let Some(consumer) = feed.config.consumer.clone() {
            self.use_consumer(origin_id, &consumer.name, feed)?;
        } else if retention != Retention::Limits {
            self.make_consumer(context, journal, id, origin_id, feed)?;
        }
        feed.origin = Some(origin_id);
        feed.heard_ns = Some(context.now_ns);
        feed.error = None;
        Ok(())
    }

    /// A mirror goes on behind its last message. A new one begins where it is told to, or where the origin does.
    fn begin_mirror(
        &mut self,
        journal: &mut dyn Journal,
        id: u32,
        origin_id: u32,
        feed: &mut Feed,
    ) {
        let Some(last) = self.streams.get(&id).map(|stream| stream.last_sequence()) else {
            return;
        };
        let wanted = if last == 0 {
            self.first_wanted(journal, origin_id, feed).unwrap_or(1)
        } else {
            last + 1
        };
        let origin = &self.streams[&origin_id];
        let index = &origin.messages.index;
        // What is gone at the beginning is skipped at once, what is gone later when the next message comes.
        let first = index.first_sequence().min(origin.messages.visible() + 1);
        feed.cursor = wanted.max(first);
        feed.begin_behind(last);
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if stream.messages.index.is_empty() && feed.cursor > last + 1 {
            let skipped = feed.cursor - 1;
            stream.messages.index.skip_to(skipped);
            stream.messages.show_up_to(skipped);
            stream.note_skipped();
            feed.begin_behind(skipped);
        }
    }

    /// The first sequence that the configuration wants, if it says so.
    fn first_wanted(
        &mut self,
        journal: &mut dyn Journal,
        origin_id: u32,
        feed: &Feed,
    ) -> Option<u64> {
        if feed.config.opt_start_seq > 0 {
            return Some(feed.config.opt_start_seq);
        }
        let time_ns = feed.config.opt_start_time?;
        let origin = self.streams.get_mut(&origin_id)?;
        let found = origin.messages.first_at_or_after(journal, time_ns);
        Some(found.unwrap_or(origin.last_sequence() + 1))
    }

    /// The consumer that the configuration names must be there, and must be confirmed by flow control.
    fn use_consumer(
        &mut self,
        origin_id: u32,
        name: &str,
        feed: &mut Feed,
    ) -> Result<(), ApiError> {
        let origin = self.streams.get(&origin_id);
        let Some(slot) = origin.and_then(|origin| origin.consumers.get(name)) else {
            return Err(ApiError::new(&error::CONSUMER_NOT_FOUND));
        };
        let config = slot.consumer.config();
        if config.ack_policy != AckPolicy::FlowControl {
            return Err(ApiError::new(match feed.role {
                Role::Mirror => &error::MIRROR_CONSUMER_REQUIRES_ACK_FC,
                Role::Source => &error::SOURCE_CONSUMER_REQUIRES_ACK_FC,
            }));
        }
        // It decides which messages come; the transforms rename them.
        feed.filters = Filters::new(config.filters());
        feed.cursor = feed.cursor.max(slot.consumer.ack_floor() + 1);
        Ok(())
    }

    /// Makes the consumer that stands for a feed, or gives it the feed's filters.
    fn make_consumer(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        origin_id: u32,
        feed: &Feed,
    ) -> Result<(), ApiError> {
        let Some(target) = self.streams.get(&id).map(|target| &target.config) else {
            return Ok(());
        };
        let name = self.consumer_name(&target.name, &target.sources, feed);
        let config = self.consumer_config(context, &name, &target.name, feed);
        let now_ns = context.now_ns;
        let Some(origin) = self.streams.get_mut(&origin_id) else {
            return Ok(());
        };
        let failed = |refused| crate::stream::store_failed(&refused);
        let kept = origin.messages.is_on_file();
        let stream_name = origin.config.name.clone();
        let mut settled = Vec::new();
        let mut source = StreamSource {
            messages: &mut origin.messages,
            journal,
            settled: &mut settled,
        };
        if let Some(slot) = origin.consumers.get_mut(&name) {
            if slot.consumer.config().filters() != config.filters() {
                let mut changed = slot.consumer.config().clone();
                changed.filter_subject = config.filter_subject;
                changed.filter_subjects = config.filter_subjects;
                slot.store_config(origin_id, &changed, source.journal)
                    .map_err(failed)?;
                slot.consumer.update(context, &mut source, changed);
            }
            return Ok(());
        }
        let consumer = Consumer::new(&stream_name, &name, config, now_ns, &mut source, now_ns);
        let number = if kept {
            self.share.number_consumer()
        } else {
            0
        };
        let mut slot = ConsumerSlot::new(consumer, number, now_ns);
        slot.store_new(origin_id, journal).map_err(failed)?;
        origin.consumers.insert(name.clone(), Box::new(slot));
        if kept {
            self.numbers.insert(number, (origin_id, name));
        }
        Ok(())
    }

    /// The consumer's name: always the same for a stream; of several sources with one origin, for each of them.
    pub(super) fn consumer_name(
        &self,
        target: &str,
        sources: &[crate::config::StreamSource],
        feed: &Feed,
    ) -> String {
        let mut id = format!("{target} {}", self.account);
        if let Some(domain) = &self.settings.domain {
            id = format!("{id} {domain}");
        }
        let id = header::hash(&id);
        if feed.role == Role::Mirror {
            return format!("JS_MIRROR_{id}");
        }
        let same = sources.iter().filter(|one| one.name == feed.config.name);
        if same.count() > 1 {
            let id = format!("{id} {}", feed.index_name);
            return format!("JS_SRC_{}", header::hash(&id));
        }
        format!("JS_SRC_{}", header::hash(&id))
    }

    /// As nats-server's: a durable push consumer that is confirmed by flow control. Nobody listens where it pushes.
    pub(super) fn consumer_config(
        &self,
        context: &mut Context<'_>,
        name: &str,
        target: &str,
        feed: &Feed,
    ) -> ConsumerConfig {
        let kind = match feed.role {
            Role::Mirror => ("M", "mirror"),
            Role::Source => ("S", "src"),
        };
        let letters: String = unique_id(context).chars().take(8).collect();
        let mut metadata = BTreeMap::from([
            (format!("_nats.{}.stream", kind.1), target.to_owned()),
            (format!("_nats.{}.acc", kind.1), self.account.to_string()),
            ("_nats.req.level".to_owned(), "4".to_owned()),
        ]);
        if let Some(domain) = &self.settings.domain {
            metadata.insert(format!("_nats.{}.domain", kind.1), domain.clone());
        }
        let transforms = feed.config.subject_transforms.iter();
        let mut filters: Vec<String> = transforms.map(|one| one.src.clone()).collect();
        let filter_subject = match filters.as_slice() {
            [] => feed.config.filter_subject.clone(),
            [_] => filters.remove(0),
            _ => String::new(),
        };
        let (start, policy) = match feed.cursor {
            0 | 1 => (0, DeliverPolicy::All),
            // What is before it is not for this feed.
            _ if feed.taken == 0 => (feed.cursor, DeliverPolicy::ByStartSequence),
            _ => (0, DeliverPolicy::All),
        };
        ConsumerConfig {
            durable_name: name.to_owned(),
            name: name.to_owned(),
            deliver_policy: policy,
            opt_start_seq: start,
            ack_policy: AckPolicy::FlowControl,
            max_deliver: -1,
            max_ack_pending: ACK_PENDING_MAX,
            flow_control: true,
            deliver_subject: format!("$JS.{}.{letters}", kind.0),
            idle_heartbeat: FLOW_CONTROL_HEARTBEAT,
            sourcing: true,
            filter_subject,
            filter_subjects: filters,
            metadata,
            ..ConsumerConfig::default()
        }
    }

    /// Tells the origin that what is durable here is done with there. Whether the one who stands for the feed is
    /// still there.
    pub(super) fn settle_origin(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        feed: &mut Feed,
    ) -> bool {
        if feed.durable <= feed.settled {
            return true;
        }
        let (Some(origin_id), Some(target)) = (feed.origin, self.streams.get(&id)) else {
            return true;
        };
        let Some(origin) = self.streams.get(&origin_id) else {
            return true;
        };
        let name = match &feed.config.consumer {
            Some(consumer) => consumer.name.clone(),
            None if origin.config.retention == Retention::Limits => return true,
            None => {
                let target = &target.config;
                self.consumer_name(&target.name, &target.sources, feed)
            }
        };
        let done = taken_between(origin, feed);
        let (upto, count, now_ns) = (feed.durable, done.len() as u64, context.now_ns);
        let found = self.act_on(context, journal, origin_id, &name, |consumer, _, source| {
            consumer.finish_upto(source, upto, count, now_ns);
            None
        });
        if !found {
            return false;
        }
        self.settle(origin_id, &done);
        feed.settled = feed.durable;
        true
    }

    /// A feed is over: nobody stands for it in the origin any more.
    pub(super) fn leave_origin(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        feed: &Feed,
    ) {
        let (Some(origin_id), None, Some(target)) =
            (feed.origin, &feed.config.consumer, self.streams.get(&id))
        else {
            return;
        };
        let config = &target.config;
        let name = self.consumer_name(&config.name, &config.sources, feed);
        let others = target.feeding.feeds.iter();
        let mut others = others.filter(|other| other.config.name == feed.config.name);
        let still = others.any(|other| {
            other.role == feed.role
                && self.consumer_name(&config.name, &config.sources, other) == name
        });
        let origin = self.streams.get(&origin_id);
        let is_there = origin.is_some_and(|origin| origin.consumers.contains_key(&name));
        if !still && is_there {
            self.delete_consumer(context, journal, origin_id, &name);
        }
    }
}

/// The origin's messages that are durable copies since the last time.
fn taken_between(origin: &Stream, feed: &mut Feed) -> Vec<u64> {
    let (mut at, upto) = (feed.settled + 1, feed.durable);
    let mut found = Vec::new();
    loop {
        let mut budget = SCAN_MAX;
        let index = &origin.messages.index;
        match index.next_matching(at, upto, &mut feed.filters, &mut budget) {
            Scan::Found(sequence) => {
                found.push(sequence);
                at = sequence + 1;
            }
            Scan::OutOfBudget(resume) => at = resume,
            Scan::None => return found,
        }
    }
}
