//! `ocsp`, `ocsp_cache` and `ocsp_peer`, with the mistakes that can be made in them.

use std::path::PathBuf;
use std::time::Duration;

use super::tests::{options, refuses};
use crate::config::{OcspCacheKept, OcspCacheOptions, OcspMode, OcspOptions, OcspPeerOptions};

#[test]
fn staples_can_be_wanted_in_several_ways() {
    let ocsp = |text: &str| options(text).ocsp;
    let of = |mode| OcspOptions {
        mode,
        urls: Vec::new(),
    };
    assert_eq!(ocsp(""), of(OcspMode::Auto));
    assert_eq!(ocsp("ocsp: true"), of(OcspMode::Auto));
    assert_eq!(ocsp("ocsp: false"), of(OcspMode::Never));
    assert_eq!(ocsp("ocsp {}"), of(OcspMode::Auto));
    assert_eq!(ocsp("ocsp {mode: ALWAYS}"), of(OcspMode::Always));
    assert_eq!(ocsp("ocsp {mode: must}"), of(OcspMode::Must));
    assert_eq!(ocsp("ocsp {mode: never}"), of(OcspMode::Never));
    let urls = ["http://a.example", "https://b.example:8080/ocsp"];
    let given = ocsp(&format!(
        "ocsp {{urls: [\"{}\", \"{}\"]}}",
        urls[0], urls[1]
    ));
    assert_eq!(given.urls, urls);
    assert_eq!(ocsp("ocsp {url: \"http://a.example\"}").urls, [urls[0]]);
    refuses("ocsp: 3", "1:7", "true, false or a block");
    refuses("ocsp {mode: maybe}", "1:13", "auto, always, must, never");
    refuses("ocsp {url: \"ldap://a\"}", "1:12", "is no place to ask");
    refuses("ocsp {mod: must}", "1:7", "mode");
}

#[test]
fn what_is_known_of_clients_can_be_kept_in_several_ways() {
    let cache = |text: &str| options(text).ocsp_cache;
    let kept = |kept| OcspCacheOptions {
        kept,
        preserve_revoked: false,
    };
    assert_eq!(cache(""), kept(OcspCacheKept::InMemory));
    assert_eq!(cache("ocsp_cache: false"), kept(OcspCacheKept::Nowhere));
    let by_default = kept(OcspCacheKept::in_default_directory());
    assert_eq!(cache("ocsp_cache: true"), by_default);
    assert_eq!(cache("ocsp_cache {}"), by_default);
    assert_eq!(
        cache("ocsp_cache {type: none}"),
        kept(OcspCacheKept::Nowhere)
    );
    let expected = OcspCacheOptions {
        kept: OcspCacheKept::InDirectory {
            directory: PathBuf::from("/var/cache"),
            save_interval: Duration::from_secs(90),
        },
        preserve_revoked: true,
    };
    let given = "ocsp_cache {type: local, local_store: /var/cache, preserve_revoked: true, save_interval: 90}";
    assert_eq!(cache(given), expected);
    let often = cache("ocsp_cache {save_interval: 0.01}").kept;
    let least = matches!(often, OcspCacheKept::InDirectory { save_interval, .. } if save_interval == Duration::from_secs(1));
    assert!(least, "{often:?}");
    refuses("ocsp_cache {type: redis}", "1:19", "none, local");
    refuses("ocsp_cache: yes_please", "1:13", "true, false or a block");
}

#[test]
fn clients_certificates_can_be_asked_about_in_several_ways() {
    let peer = |inner: &str| {
        options(&format!("tls {{verify: true, {inner}}}"))
            .tls
            .unwrap()
            .ocsp_peer
    };
    assert_eq!(peer(""), None);
    assert_eq!(peer("ocsp_peer: false"), None);
    assert_eq!(
        peer("ocsp_peer {}"),
        None,
        "as nats-server: verify is false unless said"
    );
    assert_eq!(peer("ocsp_peer: true"), Some(OcspPeerOptions::default()));
    let expected = OcspPeerOptions {
        ca_timeout: Duration::from_millis(1500),
        allowed_clockskew: Duration::from_secs(60),
        ttl_without_next_update: Duration::from_secs(120),
        warn_only: true,
        unknown_is_good: true,
        allow_when_ca_unreachable: true,
    };
    let given = "ocsp_peer {verify: true, ca_timeout: 1.5, allowed_clockskew: \"1m\", cache_ttl_when_next_update_unset: 120
        warn_only: true, unknown_is_good: true, allow_when_ca_unreachable: true}";
    assert_eq!(peer(given), Some(expected));
    assert_eq!(
        peer("ocsp_peer {verify: true, ca_timeout: 0}"),
        Some(OcspPeerOptions::default())
    );
    refuses("tls {ocsp_peer {verify: 1}}", "1:25", "true or false");
    refuses("tls {ocsp_peer {warnonly: true}}", "1:17", "warn_only");
}
