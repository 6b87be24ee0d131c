//! A new configuration for a server that runs (D50 to D55): all of it, or nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use recado_auth::jwt::InvalidToken;
use recado_auth::{Identity, Reason};
use recado_session::Goodbye;
use recado_wire::{Info, ProtocolError};

use crate::access::{self, Access};
use crate::accounts;
use crate::config::{
    Limits, MonitoringOptions, MqttOptions, Options, StoreEncryption, StreamsOptions,
    WebsocketOptions,
};
use crate::engine::{Connection, Engine, Manner, Standing, Verdict, Way};
use crate::error::StartError;
use crate::listener;
use crate::monitoring::{Facts, Keys, Listening, Observed, Watchers};
use crate::resolver::Resolver;
use crate::server::{
    client_rules, monitoring_keys, mqtt_rules, open_store, start_streams, told_of_clients,
    told_of_streams, websocket_rules,
};
use crate::streams::{NotServed, Place, Raised};
use crate::tls::Revocations;

/// Why a new configuration was refused; everything is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReloadError {
    /// These settings can be changed only by starting the server again.
    Fixed(Vec<&'static str>),
    /// The configuration can't be used at all.
    Unusable(StartError),
}

/// What came of a new configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Settings that changed.
    pub changed: Vec<&'static str>,
    /// Clients that have to go.
    pub dismissed: usize,
}

impl std::fmt::Display for ReloadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(names) => write!(
                f,
                "config reload not supported for {}: restart the server to change that",
                names.join(", ")
            ),
            Self::Unusable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReloadError {}

impl From<StartError> for ReloadError {
    fn from(error: StartError) -> Self {
        Self::Unusable(error)
    }
}

/// What a reload needs of a running server.
pub(crate) struct Reloader {
    pub(crate) engine: Arc<Engine>,
    pub(crate) streams: Arc<Place>,
    /// Who the server is.
    pub(crate) identity: crate::identity::Identity,
    pub(crate) observed: Arc<Observed>,
    /// As at the start: what can change is put in anew.
    pub(crate) info: Info,
    /// Where clients connect, as configured and as it is.
    pub(crate) client: (String, SocketAddr),
    /// Not this server chose that address: the socket was handed over.
    pub(crate) chosen_elsewhere: bool,
    /// Where WebSocket clients connect, if any may.
    pub(crate) websocket: Option<(String, SocketAddr)>,
    /// Where MQTT clients connect, if any may.
    pub(crate) mqtt: Option<(String, SocketAddr)>,
    pub(crate) watched_at: Option<Listening>,
    /// What monitoring over HTTPS shows of itself.
    pub(crate) monitoring_keys: Option<Arc<Keys>>,
    /// What is known of revoked certificates.
    pub(crate) revocations: Arc<ArcSwap<Revocations>>,
    /// Who may look over HTTP.
    pub(crate) watchers: Arc<Watchers>,
    /// What is in force.
    pub(crate) options: Mutex<Options>,
    /// Where accounts that operators sign are found.
    pub(crate) resolver: Mutex<Arc<Resolver>>,
}

impl Reloader {
    /// Puts `options` in force.
    pub(crate) fn reload(&self, options: Options) -> Result<Reloaded, ReloadError> {
        let mut held = self.options.lock();
        let Changes { fixed, changed } = compare(&held, &options);
        if !fixed.is_empty() {
            return Err(ReloadError::Fixed(fixed));
        }
        // Everything that can fail comes first.
        let told = options.clone();
        let mut options = options;
        let revocations = self.revocations.load().renewed(&options);
        let rules = client_rules(&options, Some(&revocations))?;
        let websocket_rules = websocket_rules(&options, Some(&revocations))?;
        let mqtt_rules = mqtt_rules(&options, Some(&revocations))?;
        let keys = monitoring_keys(&options, Some(&revocations))?;
        let unusable = |text: String| ReloadError::Unusable(StartError::Options(text));
        let resolver = self.resolver_for(&held, &options)?;
        let authenticator =
            access::authenticator(&mut options, &resolver, self.operator().as_deref())
                .map_err(|invalid| unusable(invalid.to_string()))?;
        let websocket = access::websocket_authenticator(&options, &resolver)
            .map_err(|invalid| unusable(invalid.to_string()))?;
        let access = Access {
            clients: authenticator,
            websocket,
            mqtt: access::mqtt_authenticator(&options, &resolver)
                .map_err(|invalid| unusable(invalid.to_string()))?,
        };
        self.check_reach(&options, &access)?;
        let planned = self.engine.prepare_accounts(&accounts::plans(&options));
        let planned = planned.map_err(|error| unusable(error.to_string()))?;
        let were_on = held.streams.enabled;
        match (were_on, options.streams.enabled) {
            (true, true) => self.serve_streams(&options)?,
            (false, true) => self.turn_streams_on(&options)?,
            (_, false) => {}
        }
        // Nothing fails from here on.
        if !options.streams.enabled {
            self.streams.stop();
        }
        let are_on = self.streams.get().is_some();
        let info = told_of_clients(
            &told_of_streams(self.info.clone(), &options, are_on),
            &options,
            &self.client,
            access.clients.is_required(),
        );
        let manner = Manner::new(&options, access, &info, &self.engine.accounts);
        // What operators sign changes without the configuration.
        let access_changed = touches_access(&changed) || options.operator.is_some();
        self.engine.put_accounts_in_force(planned);
        self.engine.set_manner(manner);
        self.revocations.store(Arc::new(revocations));
        self.engine.clients.replace(rules);
        self.engine.websocket.replace(websocket_rules);
        self.engine.mqtt.replace(mqtt_rules);
        self.engine
            .write
            .set(options.limits.write_deadline, options.limits.write_timeout);
        let at = self.websocket.as_ref();
        let facts = Facts::new(&options, &info, self.watched_at.clone(), at);
        self.observed.set_facts(facts);
        if let (Some(shown), Some(keys)) = (&self.monitoring_keys, keys) {
            shown.replace(keys);
        }
        self.watchers.replace(told.monitoring.token.as_deref());
        let unpinned = self.dismiss_unpinned(&told);
        let dismissed = unpinned
            + self.engine.reconsider(|connection| match access_changed {
                true => judge(&self.engine, connection),
                false => Verdict::Same,
            });
        *self.resolver.lock() = resolver;
        *held = told;
        Ok(Reloaded { changed, dismissed })
    }

    /// What must hold for addresses at the start must hold as long as they are listened on.
    fn check_reach(&self, options: &Options, access: &Access) -> Result<(), StartError> {
        if !self.chosen_elsewhere {
            let (host, addr) = &self.client;
            listener::check_reach(options, access.clients.is_required(), host, *addr)?;
        }
        if let Some((host, addr)) = &self.websocket {
            listener::check_reach(options, access.is_required_of_websocket(), host, *addr)?;
        }
        if let Some((host, addr)) = &self.mqtt {
            listener::check_reach(options, access.is_required_of_mqtt(), host, *addr)?;
        }
        Ok(())
    }

    /// Pins hold for who is connected, too.
    fn dismiss_unpinned(&self, options: &Options) -> usize {
        let websocket = options.websocket.as_ref();
        let mqtt = options.mqtt.as_ref();
        let listeners = [
            (Way::Clients, options.tls.as_ref()),
            (Way::Websocket, websocket.and_then(|one| one.tls.as_ref())),
            (Way::Mqtt, mqtt.and_then(|one| one.tls.as_ref())),
        ];
        let pinned = listeners
            .into_iter()
            .filter_map(|(way, tls)| Some((way, &tls?.pinned_certs)));
        pinned
            .map(|(way, pins)| self.engine.dismiss_unpinned(way, pins))
            .sum()
    }

    /// Where accounts are found now.
    pub(crate) fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver.lock())
    }

    /// The one that there is, unless it is to be another.
    fn resolver_for(&self, old: &Options, new: &Options) -> Result<Arc<Resolver>, ReloadError> {
        let place = |options: &Options| {
            let operator = options.operator.as_ref();
            operator.map(|one| (one.resolver.clone(), one.resolver_tls.clone()))
        };
        // Certificates are read again from files of the same name.
        let has_files = |options: &Options| place(options).is_some_and(|(_, tls)| tls.is_some());
        if place(old) == place(new) && !has_files(new) {
            return Ok(self.resolver());
        }
        Ok(Arc::new(Resolver::open(new)?))
    }

    /// Opens the store as at the start, and serves what is in it (D52).
    fn turn_streams_on(&self, options: &Options) -> Result<(), ReloadError> {
        let Some(store) = open_store(options, &self.identity)? else {
            let text =
                "another server has the store of streams: give this one its own with store_dir";
            return Err(ReloadError::Unusable(StartError::Options(text.to_owned())));
        };
        let running = start_streams(&self.engine, store, options)?;
        let opened = &running.opened;
        tracing::info!(
            store = %opened.directory.display(),
            streams = opened.streams,
            messages = opened.messages,
            "streams are on"
        );
        self.streams.put(running);
        Ok(())
    }

    pub(crate) fn serve_streams(&self, options: &Options) -> Result<(), ReloadError> {
        let Some(running) = self.streams.get() else {
            return Ok(());
        };
        let streams = &running.streams;
        let served = accounts::served(options, &self.engine);
        let raised = Raised {
            memory: options.streams.max_memory_bytes,
            file: options.streams.max_file_bytes,
        };
        streams
            .set_accounts(served, raised)
            .map_err(|why| match why {
                NotServed::Refused(error) => ReloadError::Unusable(StartError::Accounts(error)),
                NotServed::Stopped => ReloadError::Unusable(StartError::Options(
                    "the streams have stopped".to_owned(),
                )),
            })
    }
}

/// How MQTT clients are served can change (D53); where they are listened for, and what their sessions are found by, not.
fn compare_mqtt(
    old: Option<&MqttOptions>,
    new: Option<&MqttOptions>,
    note: &mut impl FnMut(bool, &'static str, bool),
) {
    let fixed = |mqtt: &MqttOptions| {
        (
            mqtt.host.clone(),
            mqtt.port,
            mqtt.js_domain.clone(),
            mqtt.js_api_timeout,
        )
    };
    let is_same = old.map(fixed) == new.map(fixed);
    note(
        is_same,
        "mqtt's host, port, js_domain and js_api_timeout",
        false,
    );
    note(old == new || !is_same, "mqtt", true);
}

/// Whether who may connect, or what clients may do, can have changed.
fn touches_access(changed: &[&'static str]) -> bool {
    const ACCESS: [&str; 8] = [
        "authorization",
        "accounts",
        "operator",
        "no_auth_user",
        "tls",
        "trusted_proxies",
        "websocket",
        "mqtt",
    ];
    changed.iter().any(|name| ACCESS.contains(name))
}

/// What becomes of a client: what it presented is judged again.
pub(crate) fn judge(engine: &Engine, connection: &Connection) -> Verdict {
    let (manner, standing) = (engine.manner(), connection.standing());
    let Some(presented) = &standing.presented else {
        // It was let in without a credential.
        return match manner.anonymous(connection.way()) {
            None => Verdict::Go(Goodbye::unauthorized(
                "a credential is asked for since the configuration was read again",
            )),
            Some(anonymous) => Verdict::As(Arc::clone(anonymous)),
        };
    };
    match presented.decide(&manner) {
        Ok(identity) if identity.account != standing.identity.account => {
            Verdict::Go(Goodbye::unauthorized(
                "its user belongs to another account since the configuration was read again",
            ))
        }
        Ok(identity) if is_as_before(&identity, &standing.identity) => Verdict::Same,
        Ok(identity) => {
            let presented = Some(Arc::clone(presented));
            Verdict::As(Arc::new(Standing::of(
                identity,
                &engine.accounts,
                presented,
            )))
        }
        Err(denied)
            if denied.service_needed().is_some_and(|callout| {
                callout.stands_by(&standing.identity, manner.authenticator.operator())
            }) =>
        {
            Verdict::Same
        }
        Err(denied) if denied.service_needed().is_some() => {
            Verdict::Go(Goodbye::unauthorized("a service decides on its login now"))
        }
        Err(denied) => Verdict::Go(farewell(&denied.reason)),
    }
}

/// What somebody hears whose credential is not good any more (A83 to A85).
fn farewell(reason: &Reason) -> Goodbye {
    let (told, reason) = match reason {
        Reason::Revoked => (ProtocolError::UserRevoked, "its user was revoked"),
        Reason::InvalidJwt(InvalidToken::Expired) => {
            (ProtocolError::UserExpired, "its user's claims have expired")
        }
        Reason::InvalidAccount(_, InvalidToken::Expired) => (
            ProtocolError::AccountExpired,
            "its account's claims have expired",
        ),
        Reason::UnknownAccount(_) => (ProtocolError::AccountExpired, "its account was removed"),
        _ => {
            return Goodbye::unauthorized(
                "its credential is not good any more since accounts or the configuration changed",
            );
        }
    };
    Goodbye {
        told: Some(told),
        reason,
    }
}

fn is_as_before(now: &Identity, before: &Identity) -> bool {
    let spec = |identity: &Identity| {
        identity
            .permissions
            .as_deref()
            .map(|one| one.spec().clone())
    };
    now.user == before.user
        && spec(now) == spec(before)
        && now.limits == before.limits
        && now.expires_s == before.expires_s
        && now.account_expires_s == before.account_expires_s
}

/// How two configurations differ, by names of settings.
struct Changes {
    /// In what can't change while the server runs.
    fixed: Vec<&'static str>,
    /// In what can.
    changed: Vec<&'static str>,
}

/// Both are taken apart whole: a setting that is added later has to find its place here.
fn compare(old: &Options, new: &Options) -> Changes {
    let Options {
        personality,
        lang,
        host,
        port,
        server_name,
        server_tags,
        server_metadata,
        feature_flags,
        client_advertise,
        authorization,
        tls,
        ocsp,
        ocsp_cache,
        allow_non_tls,
        websocket,
        mqtt,
        proxy_protocol,
        accounts,
        operator,
        no_auth_user,
        system_account,
        no_system_account,
        trusted_proxies,
        default_js_domain,
        mappings,
        allow_anonymous,
        limits,
        builtin_service,
        plain,
        streams,
        monitoring,
        log,
        pid_file,
        ports_file_dir,
        lame_duck_duration,
        lame_duck_grace_period,
        config_digest: _,
    } = old;
    let mut fixed = Vec::new();
    let mut changed = Vec::new();
    let mut note = |same: bool, name: &'static str, can_change: bool| {
        if !same {
            match can_change {
                true => changed.push(name),
                false => fixed.push(name),
            }
        }
    };
    note(*personality == new.personality, "the program's name", false);
    note(*lang == new.lang, "lang", false);
    note(*host == new.host, "host", false);
    note(*port == new.port, "port", false);
    note(*server_name == new.server_name, "server_name", false);
    note(*server_tags == new.server_tags, "server_tags", true);
    note(
        *server_metadata == new.server_metadata,
        "server_metadata",
        true,
    );
    note(*feature_flags == new.feature_flags, "feature_flags", false);
    let place = |websocket: &Option<WebsocketOptions>| {
        let place = |websocket: &WebsocketOptions| (websocket.host.clone(), websocket.port);
        websocket.as_ref().map(place)
    };
    let same_place = place(websocket) == place(&new.websocket);
    note(same_place, "websocket's host and port", false);
    note(
        *websocket == new.websocket || !same_place,
        "websocket",
        true,
    );
    compare_mqtt(mqtt.as_ref(), new.mqtt.as_ref(), &mut note);
    note(
        *proxy_protocol == new.proxy_protocol,
        "proxy_protocol",
        false,
    );
    note(
        *system_account == new.system_account,
        "system_account",
        false,
    );
    note(
        *no_system_account == new.no_system_account,
        "no_system_account",
        false,
    );
    note(
        *allow_anonymous == new.allow_anonymous,
        "allow_anonymous",
        false,
    );
    note(
        *default_js_domain == new.default_js_domain,
        "default_js_domain",
        false,
    );
    note(*builtin_service == new.builtin_service, "service", false);
    note(*plain == new.plain, "plain", false);
    compare_streams(streams, &new.streams, &mut note);
    let rest = |monitoring: &MonitoringOptions| MonitoringOptions {
        token: None,
        token_file: None,
        profile_port: None,
        ..monitoring.clone()
    };
    note(rest(monitoring) == rest(&new.monitoring), "http", false);
    note(
        monitoring.profile_port == new.monitoring.profile_port,
        "prof_port",
        false,
    );
    note(
        (&monitoring.token, &monitoring.token_file)
            == (&new.monitoring.token, &new.monitoring.token_file),
        "monitor_token",
        true,
    );
    note(
        *client_advertise == new.client_advertise,
        "client_advertise",
        true,
    );
    note(*authorization == new.authorization, "authorization", true);
    note(*operator == new.operator, "operator", true);
    note(*tls == new.tls, "tls", true);
    note(*ocsp == new.ocsp, "ocsp", true);
    note(*ocsp_cache == new.ocsp_cache, "ocsp_cache", true);
    note(*allow_non_tls == new.allow_non_tls, "allow_non_tls", true);
    note(*accounts == new.accounts, "accounts", true);
    note(*no_auth_user == new.no_auth_user, "no_auth_user", true);
    note(
        *trusted_proxies == new.trusted_proxies,
        "trusted_proxies",
        true,
    );
    note(*mappings == new.mappings, "mappings", true);
    note(*log == new.log, "log", true);
    note(*pid_file == new.pid_file, "pid_file", true);
    note(
        *ports_file_dir == new.ports_file_dir,
        "ports_file_dir",
        true,
    );
    note(
        *lame_duck_duration == new.lame_duck_duration,
        "lame_duck_duration",
        true,
    );
    note(
        *lame_duck_grace_period == new.lame_duck_grace_period,
        "lame_duck_grace_period",
        true,
    );
    compare_limits(limits, &new.limits, &mut note);
    // Whoever swaps certificates keeps the files' names.
    if tls.is_some() && !changed.contains(&"tls") {
        changed.push("tls");
    }
    Changes { fixed, changed }
}

/// Streams may be turned on and off, and allowed more where it was said how much (D52). What is off may be told anything:
/// it holds once it is on.
fn compare_streams(
    old: &StreamsOptions,
    new: &StreamsOptions,
    note: &mut impl FnMut(bool, &'static str, bool),
) {
    if !(old.enabled && new.enabled) {
        return note(old == new, "jetstream", true);
    }
    let rest = |streams: &StreamsOptions| StreamsOptions {
        max_memory_bytes: None,
        max_file_bytes: None,
        // Of use when the store is opened only: it can be removed once the server has started.
        encryption: StoreEncryption {
            previous: None,
            ..streams.encryption.clone()
        },
        ..streams.clone()
    };
    note(rest(old) == rest(new), "jetstream", false);
    let mut ceiling = |old: Option<u64>, new: Option<u64>, name| {
        let more = old.zip(new).is_some_and(|(old, new)| new > old);
        note(old == new, name, more);
    };
    ceiling(
        old.max_memory_bytes,
        new.max_memory_bytes,
        "jetstream's max_memory_store",
    );
    ceiling(
        old.max_file_bytes,
        new.max_file_bytes,
        "jetstream's max_file_store",
    );
}

fn compare_limits(old: &Limits, new: &Limits, note: &mut impl FnMut(bool, &'static str, bool)) {
    let Limits {
        max_payload,
        max_control_line,
        max_pending,
        max_connections,
        max_subscriptions,
        max_sub_tokens,
        ping_interval,
        ping_max,
        write_deadline,
        write_timeout,
        no_fast_producer_stall,
        disable_sublist_cache,
        no_header_support,
    } = old;
    note(*max_pending == new.max_pending, "max_pending", false);
    note(
        *max_subscriptions == new.max_subscriptions,
        "max_subscriptions",
        false,
    );
    note(
        *max_sub_tokens == new.max_sub_tokens,
        "max_sub_tokens",
        false,
    );
    note(
        *no_header_support == new.no_header_support,
        "no_header_support",
        false,
    );
    note(*max_payload == new.max_payload, "max_payload", true);
    note(
        *max_control_line == new.max_control_line,
        "max_control_line",
        true,
    );
    note(
        *max_connections == new.max_connections,
        "max_connections",
        true,
    );
    note(*ping_interval == new.ping_interval, "ping_interval", true);
    note(*ping_max == new.ping_max, "ping_max", true);
    note(
        *write_deadline == new.write_deadline,
        "write_deadline",
        true,
    );
    note(*write_timeout == new.write_timeout, "write_timeout", true);
    note(
        *disable_sublist_cache == new.disable_sublist_cache,
        "disable_sublist_cache",
        false,
    );
    note(
        *no_fast_producer_stall == new.no_fast_producer_stall,
        "no_fast_producer_stall",
        true,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_mqtt_is_served_can_change_and_where_it_is_cannot() {
        let with = |mqtt: MqttOptions| Options {
            mqtt: Some(mqtt),
            ..Options::default()
        };
        let old = MqttOptions::default();
        let new = MqttOptions {
            max_ack_pending: 1,
            ack_wait: std::time::Duration::from_secs(1),
            consumer_memory_storage: true,
            ..old.clone()
        };
        let Changes { fixed, changed } = compare(&with(old.clone()), &with(new.clone()));
        assert_eq!((fixed, changed), (vec![], vec!["mqtt"]));
        let elsewhere = MqttOptions { port: 1884, ..new };
        for new in [with(elsewhere), Options::default()] {
            let Changes { fixed, changed } = compare(&with(old.clone()), &new);
            assert_eq!(fixed.len(), 1, "{fixed:?}");
            assert!(fixed[0].starts_with("mqtt's host, port"), "{fixed:?}");
            assert!(changed.is_empty(), "{changed:?}");
        }
    }

    #[test]
    fn what_can_change_is_told_from_what_cannot() {
        let old = Options::default();
        let new = Options {
            port: 5222,
            no_auth_user: Some("ana".into()),
            feature_flags: [("js_ack_fc_v2".into(), false)].into(),
            monitoring: MonitoringOptions {
                base_path: "/x".into(),
                token: Some("clave".into()),
                profile_port: Some(6060),
                ..MonitoringOptions::default()
            },
            limits: Limits {
                max_payload: 10,
                max_pending: 20,
                ..Limits::default()
            },
            ..Options::default()
        };
        let Changes { fixed, changed } = compare(&old, &new);
        assert_eq!(
            fixed,
            ["port", "feature_flags", "http", "prof_port", "max_pending"]
        );
        assert_eq!(changed, ["monitor_token", "no_auth_user", "max_payload"]);
        let error = ReloadError::Fixed(fixed).to_string();
        assert!(
            error.contains("not supported for port, feature_flags, http, prof_port, max_pending"),
            "{error}"
        );
    }
}
