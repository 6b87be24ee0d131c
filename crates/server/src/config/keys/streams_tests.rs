//! The block `jetstream`, with the mistakes that can be made in it.

use std::time::Duration;

use recado_log::{Cipher, Secret};

use super::tests::{options, read_as, refuses, said, warns};
use super::*;
use crate::config::options::Personality;
use crate::config::streams::{
    BatchLimits, StoreEncryption, StreamsLimits, StreamsOptions, SyncInterval,
};
use crate::config::surroundings::Imagined;

#[test]
fn streams_are_a_switch_or_a_block() -> Result<(), Fault> {
    for (text, enabled) in [
        ("jetstream: true", true),
        ("jetstream: Enabled", true),
        ("jetstream: enable", true),
        ("jetstream {}", true),
        ("jetstream {enable: true}", true),
        ("JetStream: false", false),
        ("jetstream: disabled", false),
        ("jetstream: disable", false),
        ("jetstream {enabled: false}", false),
    ] {
        for personality in [Personality::Recado, Personality::NatsServer] {
            let (options, findings) = read_as(personality, text, &Imagined::default())?;
            assert_eq!(findings.errors, [], "{text}");
            assert_eq!(options.streams.enabled, enabled, "{text}");
        }
    }
    let (nats, _) = read_as(
        Personality::NatsServer,
        "store_dir: /data",
        &Imagined::default(),
    )?;
    assert!(!nats.streams.enabled);
    refuses("jetstream: on_", "1:12", "one of enabled, disabled");
    refuses("jetstream: 1", "1:12", "or a block { … }, not an integer");
    Ok(())
}

#[test]
fn streams_are_told_where_and_how_much() {
    let streams = options(
        "jetstream {
           store_dir: /data, max_mem: 128KB, max_file: 64MiB, sync: always, strict: false, domain: hub
           max_buffered_msgs: 7, max_buffered_size: '2K', request_queue_limit: 8, info_queue_limit: 9
           limits {
             max_ack_pending: 10, max_request_batch: 11, default_max_consumers: 12, duplicate_window: '1m'
             batch {max_inflight_per_stream: 12, max_inflight_total: 13, max_msgs: 14, timeout: 3s}
           }
         }",
    )
    .streams;
    let expected = StreamsOptions {
        store_dir: Some("/data".into()),
        max_memory_bytes: Some(128 << 10),
        max_file_bytes: Some(64 << 20),
        strict: false,
        domain: Some("hub".to_owned()),
        max_buffered_messages: 7,
        max_buffered_bytes: 2048,
        request_queue_limit: 8,
        info_queue_limit: Some(9),
        limits: StreamsLimits {
            max_ack_pending: Some(10),
            max_request_batch: Some(11),
            default_max_consumers: Some(12),
            duplicate_window: Some(Duration::from_secs(60)),
            batch: BatchLimits {
                max_inflight_per_stream: Some(12),
                max_inflight_total: Some(13),
                max_messages: Some(14),
                timeout: Some(Duration::from_secs(3)),
            },
        },
        ..StreamsOptions::default()
    };
    assert_eq!(streams, expected);
}

#[test]
fn sizes_of_streams_are_numbers_or_nats_servers_texts() {
    let bytes = |text: &str| {
        let streams = options(&format!("jetstream {{{text}}}")).streams;
        (streams.max_memory_bytes, streams.max_file_bytes)
    };
    assert_eq!(bytes(""), (None, None));
    assert_eq!(bytes("max_memory_store: 1G"), (Some(1_000_000_000), None));
    assert_eq!(bytes("max_mem_store: '1G'"), (Some(1 << 30), None));
    assert_eq!(bytes("max_file_store: 1GB"), (None, Some(1 << 30)));
    assert_eq!(bytes("max_mem: 0, max_file: -1"), (Some(0), None));
    refuses("jetstream {max_mem: '1GB'}", "1:21", "ends in K, M, G or T");
    refuses("jetstream {max_file: true}", "1:22", "a number of bytes");
    let zeros = options(
        "jetstream {max_buffered_msgs: 0, max_buffered_size: -1, request_queue_limit: 0
           limits {max_ack_pending: -1, max_request_batch: 0, duplicate_window: '0s'}}",
    );
    assert_eq!(zeros.streams, StreamsOptions::default());
}

#[test]
fn mistakes_inside_streams_are_told_with_their_place() {
    for (text, place, part) in [
        (
            "jetstream {max_fil: 1}",
            "1:12",
            "did you mean \"max_file\"?",
        ),
        (
            "jetstream {limits {max_request_bach: 1}}",
            "1:20",
            "did you mean \"max_request_batch\"?",
        ),
        (
            "jetstream {limits {batch {max_msg: 1}}}",
            "1:27",
            "did you mean \"max_msgs\"?",
        ),
        ("jetstream {domain: a.b}", "1:20", "is not a domain"),
        ("jetstream {strict: 1}", "1:20", "true or false"),
        ("jetstream {sync: soon}", "1:18", "not a duration"),
        ("jetstream {limits: 1}", "1:20", "takes a block"),
        (
            "jetstream {key: x, cipher: rot13}",
            "1:28",
            "one of chacha, aes",
        ),
        ("jetstream {key: 1}", "1:17", "text"),
        ("jetstream {tpm {pcr: 1}}", "1:12", "TPM"),
        (
            "jetstream {store_dir: a}, store_dir: b",
            "1:38",
            "two store_dir",
        ),
        ("storedir: b, jetstream {store: a}", "1:32", "two store_dir"),
        ("store_dir: ''", "1:12", "is empty"),
        (
            "jetstream {extension_hint: perhaps}",
            "1:28",
            "one of no_extend, will_extend",
        ),
        (
            "jetstream {max_concurrent_io: 3}",
            "1:31",
            "between 4 and 8192",
        ),
        ("jetstream {meta_compact: -1}", "1:26", "between 0"),
    ] {
        refuses(text, place, part);
    }
    assert!(
        options("jetstream {D: hub, domain: $D}")
            .streams
            .domain
            .is_some()
    );
}

#[test]
fn what_changes_nothing_for_streams_is_said() {
    for key in [
        "unique_tag: az",
        "max_outstanding_catchup: 64MB",
        "meta_compact: 1",
        "meta_compact_size: '1M'",
        "meta_compact_sync: true",
        "extension_hint: will_extend",
        "max_concurrent_io: 8",
        "limits {max_ha_assets: 5}",
    ] {
        warns(
            &format!("jetstream {{{key}}}"),
            "a server that stands alone",
        );
    }
    warns("jetstream {sync_interval: '2m'}", "always synced to disk");
    warns("jetstream {sync: 10}", "always synced to disk");
    let kept = options("jetstream {sync_interval: '2m'}").streams;
    let every = SyncInterval::Every(Duration::from_secs(120));
    assert_eq!(kept.sync_interval, every);
    warns(
        "jetstream {limits {duplicate_window: 10}}",
        "taken as seconds",
    );
}

#[test]
fn what_is_stored_is_encrypted_with_a_key_under_any_of_its_names() {
    let secret = |text: &str| Some(Secret::new(text.as_bytes().to_vec()));
    for names in [
        ("key", "prev_key"),
        ("ek", "prev_ek"),
        ("encryption_key", "prev_encryption_key"),
    ] {
        let (key, previous) = names;
        let text = format!("KEY: k2, jetstream {{{key}: $KEY, {previous}: k1, cipher: AES}}");
        let encryption = options(&text).streams.encryption;
        assert_eq!(encryption.key, secret("k2"));
        assert_eq!(encryption.previous, secret("k1"));
        assert_eq!(encryption.cipher, Some(Cipher::Aes256));
        assert!(!format!("{encryption:?}").contains("107"), "{encryption:?}");
    }
    let cipher = |word| {
        let text = format!("jetstream {{key: k, cipher: {word}}}");
        options(&text).streams.encryption.cipher
    };
    assert_eq!(cipher("chacha"), Some(Cipher::ChaCha20));
    assert_eq!(cipher("ChaChaPoly"), Some(Cipher::ChaCha20));
    let none = options("jetstream {key: '', prev_key: ''}")
        .streams
        .encryption;
    assert_eq!(none, StoreEncryption::default());
}

#[test]
fn a_cipher_or_a_previous_key_without_a_key_is_a_mistake() {
    for text in ["cipher: aes", "prev_key: x", "key: '', prev_key: x"] {
        let text = format!("jetstream {{store_dir: x, {text}}}");
        let errors = said(&options(&text).validate().errors);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("but no key"), "{errors:?}");
    }
    let whole = options("jetstream {store_dir: x, key: k, prev_key: j, cipher: aes}");
    assert_eq!(said(&whole.validate().errors), [""; 0]);
}

#[test]
fn streams_need_a_place_and_a_domain_that_is_one_token() {
    let errors = |change: fn(&mut StreamsOptions)| {
        let mut options = Options::default();
        change(&mut options.streams);
        said(&options.validate().errors)
    };
    let homeless = errors(|_| {});
    assert_eq!(homeless.len(), 1, "{homeless:?}");
    assert!(homeless[0].contains("--store-dir DIR"), "{homeless:?}");
    assert_eq!(errors(|streams| streams.enabled = false), [""; 0]);
    let domain = errors(|streams| {
        streams.store_dir = Some("x".into());
        streams.domain = Some("a.b".into());
    });
    assert_eq!(domain.len(), 1, "{domain:?}");
    assert!(domain[0].contains("not a domain"), "{domain:?}");
}
