//! One running server: started with its options, listening, and stopped again.
//!
//! The server runs on threads of its own, whatever program it is part of, so that it starts with
//! one call from anywhere and is gone when [`Server`] is dropped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use recado_log::{LockError, OpenError};
use recado_streams::config::API_LEVEL;
use recado_wire::Info;
use tokio::sync::watch;

use crate::access::{self, Access};
use crate::accounts;
use crate::config::{Options, TlsOptions};
use crate::engine::{self, Accounts, CloseReason, Engine, Inquiries, Manner, Rules, Way};
use crate::error::StartError;
use crate::identity::Identity;
use crate::lame_duck;
use crate::listener::{self, Listener};
use crate::monitoring::{self, Facts, Keys, Listening, Observed, Served, Watched, Watchers};
use crate::phase::Phase;
use crate::plain::{self, Plain};
use crate::profiling::{self, Profiles};
use crate::pulse::Pulse;
use crate::reload::{ReloadError, Reloaded, Reloader};
use crate::resolver::Resolver;
use crate::service;
use crate::streams::{self, Ceilings, Opened, Place, Running, Streams};
use crate::system::{ReloadHook, ReloadRequest, Sources, System};
use crate::tls::{Material, Revocations, client_config};
use crate::version::{GIT_COMMIT, NATS_VERSION, VERSION};

/// Time that waiting bytes are given to leave when the server stops.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Time that the services in the system account are waited for at the start.
const SYSTEM_MAX: Duration = Duration::from_secs(5);
/// Time that MQTT clients' tasks are given to write down what is under way.
const MQTT_MAX: Duration = Duration::from_secs(2);
/// Time that connections are given to notice that they are closed.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Sockets that were opened for the server by someone else (socket activation).
#[derive(Debug, Default)]
pub struct Inherited {
    /// Listening socket for clients.
    pub client: Option<std::net::TcpListener>,
}

/// A running server. It stops when this is dropped.
///
/// ```
/// use std::io::{BufRead, BufReader};
///
/// let server = recado_server::Server::builder().start()?;
/// let socket = std::net::TcpStream::connect(server.client_addr())?;
/// let mut greeting = String::new();
/// BufReader::new(socket).read_line(&mut greeting)?;
/// assert!(greeting.starts_with("INFO {"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    handle: ServerHandle,
    client_addr: SocketAddr,
    websocket_addr: Option<SocketAddr>,
    mqtt_addr: Option<SocketAddr>,
    plain_addrs: Vec<(SocketAddr, String)>,
    monitoring: Option<Listening>,
    profiles: Option<SocketAddr>,
    info: Info,
    store: Option<Opened>,
    reloader: Arc<Reloader>,
    reload_hook: ReloadHook,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Speaks to a running server from anywhere.
#[derive(Clone)]
pub struct ServerHandle {
    phase: Arc<watch::Sender<Phase>>,
    engine: Arc<Engine>,
    streams: Arc<Place>,
    monitoring_keys: Option<Arc<Keys>>,
    revocations: Arc<ArcSwap<Revocations>>,
}

impl Server {
    /// A server for a program or a test: a free port on loopback unless told otherwise.
    pub fn builder() -> crate::ServerBuilder {
        crate::ServerBuilder::default()
    }

    /// Starts a server; it listens when this returns.
    ///
    /// # Errors
    /// When an address can't be resolved or listened on, when it would be open to everybody
    /// without having been told so, or when the machine has no threads left.
    pub fn start(options: Options, inherited: Inherited) -> Result<Self, StartError> {
        let as_told = options.clone();
        let mut options = options;
        let phase = Arc::new(watch::Sender::new(Phase::Running));
        let ending = Arc::clone(&phase);
        let revocations = Revocations::new(&options, move || advance(&ending, Phase::Stopping));
        let rules = client_rules(&options, Some(&revocations))?;
        let websocket_rules = websocket_rules(&options, Some(&revocations))?;
        let mqtt_rules = mqtt_rules(&options, Some(&revocations))?;
        let resolver = Arc::new(Resolver::open_at_start(&options)?);
        let authenticator = access::authenticator(&mut options, &resolver, None)
            .map_err(|invalid| StartError::Options(invalid.to_string()))?;
        let websocket_authenticator = access::websocket_authenticator(&options, &resolver)
            .map_err(|invalid| StartError::Options(invalid.to_string()))?;
        let mqtt_authenticator = access::mqtt_authenticator(&options, &resolver)
            .map_err(|invalid| StartError::Options(invalid.to_string()))?;
        let access = Access {
            clients: authenticator,
            websocket: websocket_authenticator,
            mqtt: mqtt_authenticator,
        };
        let asked = access.clients.is_required();
        let asked_of_websocket = access.is_required_of_websocket();
        let asked_of_mqtt = access.is_required_of_mqtt();
        // A socket that was handed over is where its owner wants it.
        let chosen_elsewhere = inherited.client.is_some();
        let client = listener::open_client(&options, asked, inherited.client)?;
        let websocket = options.websocket.as_ref();
        let websocket = websocket
            .map(|websocket| {
                listener::open_websocket(&options, websocket, asked_of_websocket, &client)
            })
            .transpose()?;
        let websocket_at = websocket
            .as_ref()
            .map(|listener| (listener.host.clone(), listener.addr));
        let websocket_addr = websocket_at.as_ref().map(|(_, addr)| *addr);
        let mqtt = options.mqtt.as_ref();
        let mqtt = mqtt
            .map(|mqtt| listener::open_mqtt(&options, mqtt, asked_of_mqtt, &client))
            .transpose()?;
        let mqtt_at = mqtt
            .as_ref()
            .map(|listener| (listener.host.clone(), listener.addr));
        let mqtt_addr = mqtt_at.as_ref().map(|(_, addr)| *addr);
        let plain: Vec<Plain> = options
            .plain
            .iter()
            .map(|one| plain::open(&options, one))
            .collect::<Result<_, _>>()?;
        let plain_addrs = plain
            .iter()
            .map(|p| (p.listener.addr, p.subject.clone()))
            .collect();
        let watching = monitoring::open(&options)?;
        let watched_at = watching.as_ref().map(|listener| Listening {
            host: listener.host.clone(),
            addr: listener.addr,
            https: options.monitoring.https_port.is_some(),
        });
        let keys = monitoring_keys(&options, Some(&revocations))?.map(Arc::new);
        let revocations = Arc::new(ArcSwap::from_pointee(revocations));
        let profiles = profiling::open(&options)?;
        let profiles_at = profiles.as_ref().map(|listener| listener.addr);
        let identity = Identity::new(&options);
        let store = open_store(&options, &identity)?;
        options.streams.enabled = store.is_some();
        let inquiries = Inquiries::new(identity.clone(), client.host.clone());
        let info = describe(&options, identity.clone(), &client, asked);
        let accounts = Accounts::new(accounts::system_name(&options));
        let manner = Manner::new(&options, access, &info, &accounts);
        let (threads, runtimes) =
            engine::start_threads(thread_count(), CLOSE_MAX).map_err(StartError::Threads)?;
        let engine = Arc::new(Engine::new(
            manner,
            &options,
            accounts,
            Arc::clone(&threads),
            inquiries,
        ));
        engine.clients.replace(rules);
        engine.websocket.replace(websocket_rules);
        engine.mqtt.replace(mqtt_rules);
        let planned = engine.prepare_accounts(&accounts::plans(&options));
        let planned = planned.map_err(|error| StartError::Options(error.to_string()))?;
        engine.put_accounts_in_force(planned);
        let streams = Arc::new(Place::default());
        if let Some(store) = store {
            streams.put(start_streams(&engine, store, &options)?);
        }
        let store = streams.get().map(|running| running.opened.clone());
        let facts = Facts::new(&options, &info, watched_at.clone(), websocket_at.as_ref());
        let observed = Arc::new(Observed::new(
            &engine,
            Arc::clone(&streams),
            facts,
            phase.subscribe(),
        ));
        let watchers = Arc::new(Watchers::new(options.monitoring.token.as_deref()));
        let monitoring = watching
            .map(|listener| {
                let access = Arc::clone(&watchers);
                Served::start(
                    listener,
                    Watched(Arc::clone(&observed)),
                    access,
                    keys.clone(),
                )
            })
            .transpose()
            .map_err(StartError::Threads)?;
        let profiles = profiles
            .map(|listener| Served::start(listener, Profiles, Arc::clone(&watchers), None))
            .transpose()
            .map_err(StartError::Threads)?;
        let handle = ServerHandle {
            phase,
            engine,
            streams: Arc::clone(&streams),
            monitoring_keys: keys.clone(),
            revocations: Arc::clone(&revocations),
        };
        let client_addr = client.addr;
        let reloader = Reloader {
            engine: Arc::clone(&handle.engine),
            streams: Arc::clone(&streams),
            identity,
            observed,
            info: info.clone(),
            client: (client.host.clone(), client.addr),
            chosen_elsewhere,
            websocket: websocket_at,
            mqtt: mqtt_at,
            watched_at: watched_at.clone(),
            monitoring_keys: keys,
            revocations,
            watchers,
            options: Mutex::new(as_told),
            resolver: Mutex::new(resolver),
        };
        let reloader = Arc::new(reloader);
        let finder = Arc::downgrade(&reloader);
        handle.engine.set_finder(Box::new(move |name| {
            let finder = finder.upgrade();
            Box::pin(async move {
                match finder {
                    Some(reloader) => reloader.find(name).await,
                    None => false,
                }
            })
        }));
        let reload_hook = ReloadHook::default();
        let sources = Sources {
            engine: Arc::clone(&handle.engine),
            observed: Arc::clone(&reloader.observed),
            reload: Arc::clone(&reload_hook),
            reloader: Arc::clone(&reloader),
        };
        let (system, reachable) =
            System::start(sources, handle.phase.subscribe()).map_err(StartError::Threads)?;
        let inner = Inner {
            streams,
            monitoring,
            profiles,
            system,
            websocket,
            mqtt,
        };
        let life = live(handle.clone(), options, client, plain, inner);
        let thread = std::thread::Builder::new()
            .name("recado-server".to_owned())
            .spawn(move || {
                runtimes.run(&threads, life, CLOSE_MAX);
            })
            .map_err(StartError::Threads)?;
        // Nobody may connect and find nobody in the system account. Should it take long, it says why in the log.
        let _ = reachable.recv_timeout(SYSTEM_MAX);
        Ok(Self {
            handle,
            client_addr,
            websocket_addr,
            mqtt_addr,
            plain_addrs,
            monitoring: watched_at,
            profiles: profiles_at,
            info,
            store,
            reloader,
            reload_hook,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Where clients connect.
    pub fn client_addr(&self) -> SocketAddr {
        self.client_addr
    }

    /// Where WebSocket clients connect, if any may.
    pub fn websocket_addr(&self) -> Option<SocketAddr> {
        self.websocket_addr
    }

    /// Where MQTT clients connect, if any may.
    pub fn mqtt_addr(&self) -> Option<SocketAddr> {
        self.mqtt_addr
    }

    /// Where bare TCP peers connect, and the subjects that they ask on.
    pub fn plain_addrs(&self) -> &[(SocketAddr, String)] {
        &self.plain_addrs
    }

    /// Where monitoring is served, if it is: the host as it was configured, and the address.
    pub fn monitoring_addr(&self) -> Option<(&str, SocketAddr)> {
        let at = self.monitoring.as_ref()?;
        Some((&at.host, at.addr))
    }

    /// How it is: `http`, or `https`.
    pub fn monitoring_scheme(&self) -> &'static str {
        match &self.monitoring {
            Some(at) if at.https => "https",
            _ => "http",
        }
    }

    /// Where profiles are served over HTTP, if they are.
    pub fn profiles_addr(&self) -> Option<SocketAddr> {
        self.profiles
    }

    /// A URL for clients: `nats://ADDRESS:PORT`, of loopback where it listens everywhere.
    pub fn client_url(&self) -> String {
        let mut addr = self.client_addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(match addr {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let scheme = if self.info.tls_required {
            "tls"
        } else {
            "nats"
        };
        format!("{scheme}://{addr}")
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Engine {
        &self.handle.engine
    }

    /// What the server says of itself to every client.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// What was found where streams are stored when the server started; nothing where there were none.
    pub fn store(&self) -> Option<&Opened> {
        self.store.as_ref()
    }

    /// A handle that may be given away.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Enters lame duck mode: no new connections, clients are sent elsewhere, then the server ends.
    pub fn lame_duck(&self) {
        self.handle.lame_duck();
    }

    /// Puts a new configuration in force, as a whole: who may connect and what clients may do, limits, certificates.
    /// Clients that are held to more than before are told so, or have to go.
    ///
    /// # Errors
    /// When it changes what can't change while the server runs, or can't be used. Nothing has changed then.
    pub fn reload(&self, options: Options) -> Result<Reloaded, ReloadError> {
        self.reloader.reload(options)
    }

    /// What to do when somebody in the system account asks for a reload: whoever runs the server knows where its
    /// configuration is. Without it they are told that it can't be done.
    pub fn on_reload_request(&self, reload: impl Fn(ReloadRequest) + Send + 'static) {
        *self.reload_hook.lock() = Some(Box::new(reload));
    }

    /// Stops: what waits is written, connections are closed. Returns when it is done.
    pub fn shutdown(&self) {
        self.handle.shutdown();
        self.wait();
    }

    /// Waits until the server has ended.
    pub fn wait(&self) {
        if let Some(thread) = self.thread.lock().take() {
            // A panic of the server's thread was reported by its hook; the server ended either way.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl ServerHandle {
    /// Enters lame duck mode, unless the server is stopping already. Does not wait.
    pub fn lame_duck(&self) {
        self.advance(Phase::LameDuck);
    }

    /// Stops the server. Does not wait.
    pub fn shutdown(&self) {
        self.advance(Phase::Stopping);
    }

    /// Whether lame duck mode was entered.
    pub fn is_lame_duck(&self) -> bool {
        *self.phase.borrow() == Phase::LameDuck
    }

    /// Clients now connected.
    pub fn connections(&self) -> usize {
        self.engine.connections.clients()
    }

    /// Subscribers cut off so far because they read too slowly.
    pub fn slow_consumers(&self) -> u64 {
        self.engine.slow_consumers()
    }

    /// Asks the server's threads whether they go on.
    pub(crate) fn pulse(&self) -> Pulse {
        Pulse::new(&self.engine, self.streams.clone())
    }

    /// Reads the certificates that the options name, and holds clients that come from now on to them and to
    /// the other rules of TLS. Who is connected stays so.
    ///
    /// # Errors
    /// When TLS can't be had with them: then all stays as it was.
    pub fn replace_tls(&self, options: &Options) -> Result<(), StartError> {
        let revocations = self.revocations.load();
        let revocations = Some(revocations.as_ref());
        let clients = client_rules(options, revocations)?;
        let websocket = websocket_rules(options, revocations)?;
        let mqtt = mqtt_rules(options, revocations)?;
        let keys = monitoring_keys(options, revocations)?;
        self.engine.clients.replace(clients);
        self.engine.websocket.replace(websocket);
        self.engine.mqtt.replace(mqtt);
        if let (Some(shown), Some(keys)) = (&self.monitoring_keys, keys) {
            shown.replace(keys);
        }
        Ok(())
    }

    fn advance(&self, to: Phase) {
        advance(&self.phase, to);
    }
}

/// A server's life goes on to a later phase, never back.
fn advance(phase: &watch::Sender<Phase>, to: Phase) {
    phase.send_if_modified(|phase| {
        let forward = *phase < to;
        if forward {
            *phase = to;
        }
        forward
    });
}

/// What runs on threads of its own, and ends with the server.
struct Inner {
    streams: Arc<Place>,
    monitoring: Option<Served>,
    profiles: Option<Served>,
    system: System,
    /// Where WebSocket clients come in.
    websocket: Option<Listener>,
    /// Where MQTT clients do.
    mqtt: Option<Listener>,
}

/// The server's life, from listening to its end.
async fn live(
    handle: ServerHandle,
    options: Options,
    client: Listener,
    plain: Vec<Plain>,
    inner: Inner,
) {
    let engine = &handle.engine;
    let mut phase = handle.phase.subscribe();
    if options.builtin_service {
        service::start(engine, phase.clone());
    }
    for one in plain {
        plain::start(engine, one, phase.clone());
    }
    let Inner {
        streams,
        monitoring,
        profiles,
        system,
        websocket,
        mqtt,
    } = inner;
    let accept = |listener, way| {
        tokio::spawn(listener::accept(
            listener,
            Arc::clone(engine),
            way,
            phase.clone(),
        ))
    };
    let accepting = accept(client, Way::Clients);
    let websocket = websocket.map(|listener| accept(listener, Way::Websocket));
    let mqtt = mqtt.map(|listener| accept(listener, Way::Mqtt));
    // The sender lives in `handle`: waiting can't fail.
    let _ = phase.wait_for(|phase| *phase > Phase::Running).await;
    // Nobody is told to go before the door is shut. A panic in the task was reported by the hook.
    let _ = accepting.await;
    for other in websocket.into_iter().chain(mqtt) {
        let _ = other.await;
    }
    if *phase.borrow() == Phase::LameDuck {
        let ended = phase.wait_for(|phase| *phase == Phase::Stopping);
        let leaving = lame_duck::send_everybody_away(
            engine,
            options.lame_duck_grace_period,
            options.lame_duck_duration,
        );
        tokio::select! {
            _ = ended => {}
            () = leaving => handle.advance(Phase::Stopping),
        }
    }
    // What is under way to MQTT clients is written down as long as there are streams.
    engine.mqtt_sessions.stop(MQTT_MAX).await;
    // Their threads are waited for, one of them for its disk; this one goes on serving those whose answers it
    // still sends.
    let revocations = Arc::clone(&handle.revocations);
    let ended = tokio::task::spawn_blocking(move || {
        streams.close();
        revocations.load().save();
        drop(monitoring);
        drop(profiles);
        drop(system);
    });
    // A panic in it was reported by its hook.
    let _ = ended.await;
    stop(engine).await;
}

/// Serves what was opened to the accounts that have streams.
pub(crate) fn start_streams(
    engine: &Arc<Engine>,
    store: streams::Store,
    options: &Options,
) -> Result<Running, StartError> {
    let accounts = accounts::served(options, engine);
    let limits = streams::RequestLimits::of(&options.streams);
    let (streams, opened) = Streams::start(engine, store, &accounts, limits)?;
    Ok(Running { streams, opened })
}

/// Opens the store of the streams, if there are to be any. A second server of the same user does without rather
/// than not start at all, unless it was told where to store.
pub(crate) fn open_store(
    options: &Options,
    identity: &Identity,
) -> Result<Option<streams::Store>, StartError> {
    if !options.streams.enabled {
        return Ok(None);
    }
    let no_directory = || StartError::Options("there is no directory to store in".to_owned());
    let directory = options.streams.directory().ok_or_else(no_directory)?;
    let ceilings = Ceilings::of(&options.streams, &directory);
    let settings = streams::settings(options, &ceilings, identity);
    match streams::open(&directory, settings, &options.streams.encryption) {
        Err(StartError::Store {
            source: OpenError::Lock(LockError::Held { .. }),
            ..
        }) if options.streams.store_dir_is_default => {
            tracing::warn!(
                store = %directory.display(),
                "another server has the store: this one runs without streams; give it a store of its own with --store-dir DIR"
            );
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// Writes what waits, then closes everybody.
async fn stop(engine: &Engine) {
    let all = engine.connections.all();
    let flushed = async {
        for connection in &all {
            connection.drained_to(0).await;
        }
    };
    // Who does not read in time loses what it did not read.
    let _ = tokio::time::timeout(FLUSH_MAX, flushed).await;
    for connection in all.iter().chain(&engine.connections.all()) {
        connection.close(CloseReason::ServerShutdown);
    }
    let gone = async {
        while engine.connections.len() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(CLOSE_MAX, gone).await;
}

/// One thread for each core that this process may use.
fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Reads the certificates, keys and authorities that a server would need, and forgets them.
///
/// # Errors
/// When one can't be read or is not what it should be: the server would not start.
pub fn check_certificates(options: &Options) -> Result<(), StartError> {
    monitoring_keys(options, None)?;
    client_rules(options, None)?;
    websocket_rules(options, None)?;
    mqtt_rules(options, None)?;
    let operator = options.operator.as_ref();
    match operator.and_then(|operator| operator.resolver_tls.as_ref()) {
        Some(tls) => client_config(Some(tls)).map(drop).map_err(StartError::Tls),
        None => Ok(()),
    }
}

/// What monitoring over HTTPS shows of itself, if it is served so.
pub(crate) fn monitoring_keys(
    options: &Options,
    revocations: Option<&Revocations>,
) -> Result<Option<Keys>, StartError> {
    if options.monitoring.https_port.is_none() {
        return Ok(None);
    }
    let Some(tls) = &options.tls else {
        let text = "monitoring over HTTPS needs certificates";
        return Err(StartError::Options(text.to_owned()));
    };
    Keys::load(tls, revocations)
        .map(Some)
        .map_err(StartError::Tls)
}

/// What clients pass before their first operation.
pub(crate) fn client_rules(
    options: &Options,
    revocations: Option<&Revocations>,
) -> Result<Rules, StartError> {
    let tls = options.tls.as_ref();
    let tls = tls.map(|tls| Material::load(tls, revocations)).transpose();
    Ok(Rules {
        tls: tls.map_err(StartError::Tls)?,
        allow_non_tls: options.allow_non_tls,
        proxy_protocol: options.proxy_protocol,
        ..Rules::default()
    })
}

/// The same of those that speak WebSocket.
pub(crate) fn websocket_rules(
    options: &Options,
    revocations: Option<&Revocations>,
) -> Result<Rules, StartError> {
    let Some(websocket) = &options.websocket else {
        return Ok(Rules::default());
    };
    let tls = websocket.tls.as_ref();
    let tls = tls.map(|tls| Material::load(tls, revocations)).transpose();
    Ok(Rules {
        tls: tls.map_err(StartError::Tls)?,
        websocket: Some(websocket.clone()),
        ..Rules::default()
    })
}

/// The same of those that speak MQTT.
pub(crate) fn mqtt_rules(
    options: &Options,
    revocations: Option<&Revocations>,
) -> Result<Rules, StartError> {
    let Some(mqtt) = &options.mqtt else {
        return Ok(Rules::default());
    };
    let tls = mqtt.tls.as_ref();
    let tls = tls.map(|tls| Material::load(tls, revocations)).transpose();
    Ok(Rules {
        tls: tls.map_err(StartError::Tls)?,
        allow_non_tls: options.allow_non_tls,
        mqtt: true,
        ..Rules::default()
    })
}

/// What INFO says of this server.
fn describe(options: &Options, identity: Identity, client: &Listener, auth_required: bool) -> Info {
    let base = Info {
        xkey: identity.keys.curve.public_key(),
        git_commit: GIT_COMMIT.unwrap_or_default().to_owned(),
        server_name: identity.name,
        server_id: identity.id,
        version: NATS_VERSION.to_owned(),
        proto: 1,
        go: "none: written in Rust".to_owned(),
        server: "recado".to_owned(),
        server_version: VERSION.to_owned(),
        headers: !options.limits.no_header_support,
        ..Info::default()
    };
    let base = told_of_streams(base, options, options.streams.enabled);
    let client = (client.host.clone(), client.addr);
    told_of_clients(&base, options, &client, auth_required)
}

/// INFO with what it says of streams, which can be turned on and off.
pub(crate) fn told_of_streams(base: Info, options: &Options, are_on: bool) -> Info {
    Info {
        jetstream: are_on,
        // Also without streams, as nats-server has it.
        api_lvl: API_LEVEL,
        domain: options.streams.domain.clone().unwrap_or_default(),
        ..base
    }
}

/// INFO with what it says of how clients are let in and held to, which can change.
pub(crate) fn told_of_clients(
    base: &Info,
    options: &Options,
    client: &(String, SocketAddr),
    auth_required: bool,
) -> Info {
    let (host, port) = advertised(options, client);
    Info {
        host,
        port,
        auth_required,
        tls_required: options.tls.is_some() && !options.allow_non_tls,
        tls_available: options.tls.is_some() && options.allow_non_tls,
        tls_verify: options
            .tls
            .as_ref()
            .is_some_and(TlsOptions::asks_for_certificates),
        max_payload: options.limits.max_payload,
        ..base.clone()
    }
}

/// Host and port that INFO shows: what `client_advertise` says, or where the server listens.
fn advertised(options: &Options, client: &(String, SocketAddr)) -> (String, u16) {
    let (host, port) = (&client.0, client.1.port());
    let Some(advertise) = &options.client_advertise else {
        return (host.clone(), port);
    };
    match advertise.rsplit_once(':') {
        Some((host, given)) if given.parse::<u16>().is_ok() && !host.ends_with(':') => {
            (host.to_owned(), given.parse().unwrap_or(port))
        }
        _ => (advertise.clone(), port),
    }
}
