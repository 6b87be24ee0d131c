//! What a request is about, so that whatever goes wrong can be said of it by name.

use crate::text::jetstream as text;

/// The thing that was asked for or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// All streams of the account.
    Streams,
    /// A stream, by name.
    Stream(String),
    /// A consumer: its stream, its name.
    Consumer(String, String),
    /// A message: its stream, its sequence.
    Message(String, u64),
    /// The last message on a subject of a stream.
    Last(String, String),
    /// A key-value bucket.
    Bucket(String),
    /// A key: its bucket, the key.
    Key(String, String),
    /// A bucket of objects.
    Store(String),
    /// An object: its bucket, its name.
    Object(String, String),
    /// What is published on a subject.
    Subject(String),
}

impl About {
    /// What it is, with its name.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Streams => text::about_streams().to_owned(),
            Self::Stream(name) => text::about_stream(name),
            Self::Consumer(stream, name) => text::about_consumer(stream, name),
            Self::Message(stream, sequence) => text::about_message(stream, *sequence),
            Self::Last(stream, subject) => text::about_last(stream, subject),
            Self::Bucket(name) => text::about_bucket(name),
            Self::Key(bucket, key) => text::about_key(bucket, key),
            Self::Store(name) => text::about_store(name),
            Self::Object(bucket, name) => text::about_object(bucket, name),
            Self::Subject(subject) => text::about_subject(subject),
        }
    }

    /// What to do when it is not there.
    pub(crate) fn when_missing(&self) -> String {
        match self {
            Self::Streams | Self::Subject(_) => text::next_streams().to_owned(),
            Self::Stream(name) => text::next_stream(name),
            Self::Consumer(stream, name) => text::next_consumer(stream, name),
            Self::Message(stream, _) | Self::Last(stream, _) => text::next_message(stream),
            Self::Bucket(name) => text::next_bucket(name),
            Self::Key(bucket, key) => text::next_key(bucket, key),
            Self::Store(name) => text::next_store(name),
            Self::Object(bucket, _) => text::next_object(bucket),
        }
    }

    /// What holds it, where that is another thing: the stream of a consumer, the bucket of a key.
    pub(crate) fn holder(&self) -> Self {
        match self {
            Self::Consumer(stream, _) | Self::Message(stream, _) | Self::Last(stream, _) => {
                Self::Stream(stream.clone())
            }
            Self::Key(bucket, _) => Self::Bucket(bucket.clone()),
            Self::Object(bucket, _) => Self::Store(bucket.clone()),
            itself => itself.clone(),
        }
    }
}
