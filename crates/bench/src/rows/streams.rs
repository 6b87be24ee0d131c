//! The rows about streams, in the table's order.

use super::consume::{Acks, Manner};
use super::{Row, Streams, compaction, consume, durable, restart};

const DURABLE: &str = "Connections publish to one stream on disk over raw sockets, and each keeps \
    its window of messages open that are not acknowledged yet; one thread drives them all. Every \
    ack is matched with its message; the time between the two goes into an HDR histogram. When all \
    are acknowledged, the stream must hold as many. Flushes are those that the kernel counts for \
    the disk below the store, whoever caused them, divided by the acks.";
const AS_ABOVE: &str = "As above.";

const fn row(
    name: &'static str,
    title: &'static str,
    how: &'static str,
    streams: Streams,
    work: fn(&super::Setting) -> crate::Result<crate::outcome::Outcome>,
) -> Row {
    Row {
        name,
        title,
        how,
        floor: false,
        streams,
        work,
    }
}

pub(super) static ROWS: &[Row] = &[
    row(
        "durable-128-1x1",
        "durable publish, 128 B, 1 connection × 1",
        DURABLE,
        Streams::Synced,
        |s| durable::publish(s, 128, 1, 1),
    ),
    row(
        "durable-128-1x64",
        "durable publish, 128 B, 1 connection × 64",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 128, 1, 64),
    ),
    row(
        "durable-128-1x512",
        "durable publish, 128 B, 1 connection × 512",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 128, 1, 512),
    ),
    row(
        "durable-128-8x256",
        "durable publish, 128 B, 8 connections × 256",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 128, 8, 256),
    ),
    row(
        "durable-128-64x32",
        "durable publish, 128 B, 64 connections × 32",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 128, 64, 32),
    ),
    row(
        "durable-1k-1x1",
        "durable publish, 1 KiB, 1 connection × 1",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 1024, 1, 1),
    ),
    row(
        "durable-1k-1x64",
        "durable publish, 1 KiB, 1 connection × 64",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 1024, 1, 64),
    ),
    row(
        "durable-1k-1x512",
        "durable publish, 1 KiB, 1 connection × 512",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 1024, 1, 512),
    ),
    row(
        "durable-1k-8x256",
        "durable publish, 1 KiB, 8 connections × 256",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 1024, 8, 256),
    ),
    row(
        "durable-1k-64x32",
        "durable publish, 1 KiB, 64 connections × 32",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::publish(s, 1024, 64, 32),
    ),
    row(
        "many-streams",
        "100 streams written at once, 128 B, window 32 each",
        "A hundred streams, each with a connection of its own that keeps 32 messages open. Otherwise \
            like the rows above.",
        Streams::Synced,
        durable::many_streams,
    ),
    row(
        "consume-ordered",
        "consuming 1 M messages of 128 B, ordered",
        "A push consumer without acks, with heartbeats and flow control, as client libraries make \
            their ordered ones. One connection reads the stream from the first message to the last \
            one, and again with a new consumer until the time is up. Each message must be the next \
            one and carry the number under which it was published.",
        Streams::Some,
        |s| consume::stream(s, Manner::Ordered),
    ),
    row(
        "consume-fetch",
        "consuming 1 M messages of 128 B, pulled by 500, no acks",
        "A pull consumer; the next 500 are asked for when the last 500 are there. Otherwise like the \
            row above.",
        Streams::Some,
        |s| consume::stream(s, Manner::Fetch(Acks::None)),
    ),
    row(
        "consume-fetch-acks",
        "consuming 1 M messages of 128 B, pulled by 500, each acknowledged",
        "As above, with an ack for each message; a pass ends when the consumer's information says \
            that none is outstanding.",
        Streams::Some,
        |s| consume::stream(s, Manner::Fetch(Acks::Explicit)),
    ),
    row(
        "consume-push-acks",
        "consuming 1 M messages of 128 B, pushed, each acknowledged",
        "A push consumer with explicit acks and the usual limit of 1,000 outstanding ones. Otherwise \
            like the row above.",
        Streams::Some,
        |s| consume::stream(s, Manner::Push),
    ),
    row(
        "filtered",
        "consuming half of 1 M subjects by a wildcard filter, pulled by 500",
        "A stream of a million messages on as many subjects, in turn below two names. Once a consumer \
            without a filter pulls them all, once one with a wildcard filter pulls those below one of \
            the names, without acks. The ratio is that of the messages delivered a second.",
        Streams::Some,
        consume::filtered,
    ),
    row(
        "kv-put-1",
        "KV put, 128 B, 100,000 keys, one at a time",
        "A bucket with a history of one, as client libraries make it; its keys are put round and \
            round. Measured like durable publishing.",
        Streams::Synced,
        |s| durable::put(s, 1),
    ),
    row(
        "kv-put-64",
        "KV put, 128 B, 100,000 keys, 64 in flight",
        AS_ABOVE,
        Streams::Synced,
        |s| durable::put(s, 64),
    ),
    row(
        "kv-get-1",
        "KV get, 128 B, 100,000 keys, one at a time",
        "The keys are put once and then read with DIRECT.GET, neighbours far apart; each value must \
            be that of its key.",
        Streams::Some,
        |s| durable::get(s, 1),
    ),
    row(
        "kv-get-64",
        "KV get, 128 B, 100,000 keys, 64 in flight",
        AS_ABOVE,
        Streams::Some,
        |s| durable::get(s, 64),
    ),
    row(
        "compaction",
        "acks while 10 M deleted messages are compacted",
        compaction::HOW,
        Streams::Some,
        compaction::beside_acks,
    ),
    row(
        "restart",
        "restart with 10 M messages of 24 B",
        "Ten million messages on a thousand subjects are published with acks, 2,048 open. Then the \
            server is killed with SIGKILL and started again, and then stopped with SIGTERM and started \
            again. It is ready when it has answered a client and its stream says what it said before; \
            the time counts from the start of the program. Memory is the resident size after the last \
            restart, once it has settled.",
        Streams::Some,
        restart::messages,
    ),
    row(
        "restart-kv",
        "restart with 1 M KV keys, 128 B",
        "A bucket with a million keys, each put once. Otherwise like the row above.",
        Streams::Some,
        restart::keys,
    ),
];
