//! What is told to whoever watches the server from inside: the account as a whole, and page by page its streams
//! and consumers. Nothing here changes what clients see, and each page ends when its owner says so.

use recado_log::Journal;

use super::JetStream;
use crate::api::{AccountInfo, ClusterInfo, ConsumerInfo, SourceInfo, StreamState};
use crate::config::StreamConfig;
use crate::context::Context;

/// All streams together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the account uses, and how often its API was asked.
    pub account: AccountInfo,
    /// Messages in all streams.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages that were found damaged.
    pub lost: u64,
    /// Why nothing is stored any more, if so.
    pub stopped: Option<String>,
}

/// What a page is to hold, and where it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// Consumers, too.
    pub consumers: bool,
    /// Where the page before ended.
    pub after: Option<Bookmark>,
}

/// Where a page ended: a stream, and the last of its consumers that was told; none if the stream was told whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// The stream.
    pub stream: String,
    /// The consumer.
    pub consumer: Option<String>,
}

/// Some streams, in the order of their names. The last one may lack consumers, which begin the next page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The streams.
    pub streams: Vec<StreamDetail>,
    /// Where it ended; `None`: there are no more.
    pub next: Option<Bookmark>,
}

/// One stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDetail {
    /// Its name.
    pub name: String,
    /// When it was created, in Unix nanoseconds.
    pub created_ns: i64,
    /// As clients are shown it.
    pub config: StreamConfig,
    /// What it holds, with times to the microsecond.
    pub state: StreamState,
    /// Messages that were found damaged.
    pub lost: u64,
    /// Where it lives.
    pub cluster: ClusterInfo,
    /// How far it has come as a mirror.
    pub mirror: Option<SourceInfo>,
    /// How far its sources have come.
    pub sources: Vec<SourceInfo>,
    /// Its consumers, if they were asked for.
    pub consumers: Vec<ConsumerInfo>,
}

/// What is there of what was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Not even the stream.
    Nothing,
    /// The stream only.
    Stream,
    /// All of it.
    All,
}

impl JetStream {
    /// All streams together. It looks at each of them, and reads nothing.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            account: self.account(),
            stopped: self.stopped.clone(),
            ..Summary::default()
        };
        for stream in self.streams.values() {
            summary.messages += stream.messages.index.len();
            summary.bytes += stream.messages.index.bytes();
            summary.lost += stream.messages.lost.messages;
        }
        summary
    }

    /// Streams from where the last page ended, at least one of them or one consumer, as long as `goes_on`.
    pub fn page(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        inquiry: &Inquiry,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Page {
        let mut page = Page::default();
        let mut from = inquiry.after.clone();
        while let Some((id, name)) = self.stream_after(from.as_ref()) {
            let is_rest = from.as_ref().is_some_and(|mark| mark.stream == name);
            let told = from
                .take()
                .filter(|_| is_rest)
                .and_then(|mark| mark.consumer);
            let Some(mut detail) = self.detail(id, context.now_ns) else {
                break;
            };
            let mut last = None;
            if inquiry.consumers {
                last = self.tell_consumers(
                    context,
                    journal,
                    (id, told),
                    &mut detail.consumers,
                    goes_on,
                );
            }
            page.streams.push(detail);
            let mark = Bookmark {
                stream: name,
                consumer: last,
            };
            if mark.consumer.is_some() || !goes_on() {
                page.next = self.stream_after(Some(&mark)).is_some().then_some(mark);
                return page;
            }
            from = Some(mark);
        }
        page
    }

    /// Whether a stream, and a consumer of it, are there.
    pub fn find(&self, stream: &str, consumer: &str) -> Found {
        match self.stream(stream) {
            Err(_) => Found::Nothing,
            Ok(stream) if consumer.is_empty() || stream.consumers.contains_key(consumer) => {
                Found::All
            }
            Ok(_) => Found::Stream,
        }
    }

    /// Answers that were asked for so far and wait, or waited, for the disk.
    pub fn replies_so_far(&self) -> u64 {
        self.replies.pushed()
    }

    /// The stream that comes next: the same one where not all of its consumers were told.
    fn stream_after(&self, mark: Option<&Bookmark>) -> Option<(u32, String)> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let from = match mark {
            None => Unbounded,
            Some(mark) if mark.consumer.is_some() => Included(mark.stream.as_str()),
            Some(mark) => Excluded(mark.stream.as_str()),
        };
        let next = self.names.range::<str, _>((from, Unbounded)).next()?;
        Some((*next.1, next.0.clone()))
    }

    fn detail(&self, id: u32, now_ns: i64) -> Option<StreamDetail> {
        let stream = self.streams.get(&id)?;
        Some(StreamDetail {
            name: stream.config.name.clone(),
            created_ns: stream.created_ns,
            config: stream.config.clone(),
            state: stream.state(),
            lost: stream.messages.lost.messages,
            cluster: self.cluster(),
            mirror: self.mirror_info(stream, now_ns),
            sources: self.source_infos(stream, now_ns),
            consumers: Vec::new(),
        })
    }

    /// Tells of a stream's consumers, behind the one that was told last. Some: it stopped at this one.
    fn tell_consumers(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        (id, told): (u32, Option<String>),
        into: &mut Vec<ConsumerInfo>,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Option<String> {
        let mut told = told;
        loop {
            use std::ops::Bound::{Excluded, Unbounded};
            let from = told.as_deref().map_or(Unbounded, Excluded);
            let consumers = &self.streams.get(&id)?.consumers;
            let name = consumers
                .range::<str, _>((from, Unbounded))
                .next()
                .map(|(name, _)| name.clone())?;
            into.extend(self.entry_of_consumer(id, &name, context, journal));
            if !goes_on() {
                return Some(name);
            }
            told = Some(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jetstream::world::World;
    use serde_json::{Value, json};

    fn create(world: &mut World, name: &str) {
        world.create(&json!({"name": name, "subjects": [format!("{name}.>")]}));
    }

    fn create_consumer(world: &mut World, stream: &str, name: &str) {
        let config = json!({"name": name, "durable_name": name, "ack_policy": "explicit"});
        let request = json!({"stream_name": stream, "config": config});
        let answer = world.api(&format!("CONSUMER.CREATE.{stream}.{name}"), &request);
        assert!(answer["error"].is_null(), "{answer}");
    }

    fn page(world: &mut World, inquiry: &Inquiry, goes_on: &mut dyn FnMut() -> bool) -> Page {
        world.act(|jetstream, context, journal| jetstream.page(context, journal, inquiry, goes_on))
    }

    fn names(page: &Page) -> Vec<(String, Vec<String>)> {
        let streams = page.streams.iter();
        streams
            .map(|stream| {
                let consumers = stream.consumers.iter().map(|one| one.name.clone());
                (stream.name.clone(), consumers.collect())
            })
            .collect()
    }

    #[test]
    fn pages_of_any_size_tell_of_every_stream_and_consumer_once_and_in_order() {
        let mut world = World::new();
        for (stream, consumers) in [("B", 3), ("A", 0), ("C", 2)] {
            create(&mut world, stream);
            for number in 0..consumers {
                create_consumer(&mut world, stream, &format!("c{number}"));
            }
        }
        let whole = vec![
            ("A".to_owned(), vec![]),
            (
                "B".to_owned(),
                vec!["c0".to_owned(), "c1".to_owned(), "c2".to_owned()],
            ),
            ("C".to_owned(), vec!["c0".to_owned(), "c1".to_owned()]),
        ];
        for size in 1..10 {
            let mut all: Vec<(String, Vec<String>)> = Vec::new();
            let mut inquiry = Inquiry {
                consumers: true,
                after: None,
            };
            for _ in 0..100 {
                let mut left = size;
                let page = page(&mut world, &inquiry, &mut || {
                    left -= 1;
                    left > 0
                });
                assert!(!page.streams.is_empty());
                for (name, mut consumers) in names(&page) {
                    match all.last_mut().filter(|(last, _)| *last == name) {
                        Some((_, known)) => known.append(&mut consumers),
                        None => all.push((name, consumers)),
                    }
                }
                inquiry.after = page.next;
                if inquiry.after.is_none() {
                    break;
                }
            }
            assert_eq!(all, whole, "of {size}");
        }
    }

    #[test]
    fn a_page_goes_on_behind_a_stream_that_was_deleted_meanwhile() {
        let mut world = World::new();
        create(&mut world, "A");
        create(&mut world, "B");
        let first = page(&mut world, &Inquiry::default(), &mut || false);
        assert_eq!(first.streams[0].name, "A");
        world.api("STREAM.DELETE.A", &Value::Null);
        let inquiry = Inquiry {
            consumers: false,
            after: first.next,
        };
        let rest = page(&mut world, &inquiry, &mut || true);
        assert_eq!(names(&rest), [("B".to_owned(), vec![])]);
        assert_eq!(rest.next, None);
    }

    #[test]
    fn a_summary_adds_streams_up_and_a_look_finds_what_is_there() {
        let mut world = World::new();
        create(&mut world, "A");
        create_consumer(&mut world, "A", "c");
        let summary = world.act(|jetstream, _, _| jetstream.summary());
        assert_eq!(summary.account.usage.streams, 1);
        assert_eq!(summary.account.usage.consumers, 1);
        assert_eq!((summary.messages, summary.stopped), (0, None));
        for (stream, consumer, found) in [
            ("A", "", Found::All),
            ("A", "c", Found::All),
            ("A", "d", Found::Stream),
            ("B", "", Found::Nothing),
        ] {
            let look = world.act(|jetstream, _, _| jetstream.find(stream, consumer));
            assert_eq!(look, found);
        }
    }
}
