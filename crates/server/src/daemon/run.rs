//! The life of the daemon around the server: prepare, start, tell the world, listen to signals, go.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sd_notify::NotifyState;
use signal_hook::iterator::Signals;

use recado_log::OpenError;
use recado_streams::accounts::AccountsError;
use recado_streams::config::Storage;

use crate::config::flags::{Invocation, Serve, read_command_line};
use crate::config::{Lang, Limits, Machine, Options, Personality, Programs};
use crate::logging::Log;
use crate::{Inherited, ReloadError, ReloadRequest, Reloaded, Server, StartError};

use super::messages::{AddressProblem, LifeText, Obstacle, ResourceText};
use super::pid_file::PidFile;
use super::ports_file::{Bound, Ports, PortsFile};
use super::service_manager::{Watchdog, during_reload, notify};
use super::signals::{Action, LISTENED, Stance};
use super::voice::{Opening, Voice};
use super::{activation, descriptors, holder, invitation, signals};

/// Time that the last log lines are given to be written.
const LOG_FLUSH_MAX: Duration = Duration::from_secs(2);

/// Runs a server until it is told to stop. `program` is the file name that it was called by.
///
/// To be called from `main`, before there are other threads. Success: it ended because it was
/// asked to, and finished what was under way.
pub fn serve(serve: &Serve, program: &str) -> ExitCode {
    let options = &serve.options;
    // First of all: what is handed over is known by number, and numbers are reused.
    let sockets = activation::inherited();
    let log = match Log::open(&options.log, options.personality) {
        Ok(log) => log,
        Err(error) => {
            let obstacle = Obstacle::LogFileUnopenable {
                path: error.path,
                error: error.source.to_string(),
            };
            // There is no log to tell it, and whether anybody reads this can't be helped.
            let _ = writeln!(io::stderr(), "{program}: {}", obstacle.text(options.lang));
            return ExitCode::FAILURE;
        }
    };
    log.install();
    let voice = Voice {
        personality: options.personality,
        // Rules that match lines of a machine's log should not depend on who started the server.
        lang: if log.is_for_machines() {
            Lang::En
        } else {
            options.lang
        },
        log: log.clone(),
    };
    let ended = sockets.and_then(|sockets| Daemon::start(serve, program, &voice, sockets));
    let code = match ended {
        Ok((daemon, signals)) => daemon.live(signals, &voice),
        Err(obstacle) => {
            voice.fatal(&obstacle);
            ExitCode::FAILURE
        }
    };
    log.flush(LOG_FLUSH_MAX);
    code
}

/// A server that listens, and what tells of it. Dropping removes the files.
struct Daemon {
    server: Arc<Server>,
    program: String,
    /// As they are in force.
    options: Options,
    ports: Ports,
    _watchdog: Option<Watchdog>,
    pid_file: Option<PidFile>,
    ports_file: Option<PortsFile>,
    reload_requests: ReloadRequests,
}

/// Those who asked for a reload and wait for its outcome.
type ReloadRequests = Arc<Mutex<Vec<ReloadRequest>>>;

impl Daemon {
    fn start(
        serve: &Serve,
        program: &str,
        voice: &Voice,
        sockets: Inherited,
    ) -> Result<(Self, Signals), Obstacle> {
        let options = &serve.options;
        voice.starting();
        let resources = raise_descriptors(options);
        // From here on a signal ends nothing by itself.
        let signals = Signals::new(LISTENED).map_err(cannot_start)?;
        // nats-server takes any pid file, and scripts that start several with one rely on it.
        let take_over = options.personality == Personality::NatsServer;
        let pid_file = (options.pid_file.as_deref())
            .map(|path| PidFile::create(path, program, take_over))
            .transpose()?;
        let server =
            Server::start(options.clone(), sockets).map_err(|error| obstacle_of(error, options))?;
        let plain: Vec<SocketAddr> = server.plain_addrs().iter().map(|(at, _)| *at).collect();
        let watched_at = server
            .monitoring_addr()
            .map(|(_, address)| (server.monitoring_scheme(), address));
        let ports = Ports::of(&Bound {
            clients: (server.client_addr(), server.info().tls_required),
            websocket: websocket_of(&server, options),
            mqtt: mqtt_of(&server, options),
            monitoring: watched_at,
            profiles: server.profiles_addr(),
            plain: &plain,
        });
        let ports_file = (options.ports_file_dir.as_deref())
            .map(|directory| PortsFile::create(directory, program, &ports))
            .transpose()?;
        // As if the signal had come from outside: there is one way to reload.
        let reload_requests: ReloadRequests = Arc::default();
        let requests = Arc::clone(&reload_requests);
        server.on_reload_request(move |request| {
            requests.lock().push(request);
            // It can't fail: the signal is one that is listened to.
            let _ = signal_hook::low_level::raise(signal_hook::consts::SIGHUP);
        });
        let reachable = reachable(server.client_addr());
        let programs = Programs::here();
        voice.ready(&Opening {
            server: &server,
            command: invitation::command(programs.client, options, reachable, options.lang),
            programs,
            credential_asked: options.asks_for_credential(),
            monitoring: &options.monitoring,
            websocket: websocket_of(&server, options),
            mqtt: mqtt_of(&server, options),
        });
        report_configuration(serve, voice.lang);
        voice.resources(&resources);
        let watchdog = Watchdog::start(&server.handle(), voice).map_err(cannot_start)?;
        notify(voice, &[NotifyState::Ready]);
        let daemon = Self {
            server: Arc::new(server),
            program: program.to_owned(),
            options: options.clone(),
            ports,
            _watchdog: watchdog,
            pid_file,
            ports_file,
            reload_requests,
        };
        Ok((daemon, signals))
    }

    /// Reads command line and configuration file again and puts them in force, or says why not: then everything
    /// is as it was.
    fn reload(&mut self, voice: &Voice) -> Result<Reloaded, String> {
        let line = read_command_line(std::env::args_os(), &Machine);
        let options = match line.map(|line| line.invocation) {
            Ok(Invocation::Serve(serve)) => serve.options,
            Ok(_) => return Err("the command line does not start a server".to_owned()),
            Err(refusal) => return Err(refusal.text().trim_end().to_owned()),
        };
        let said = |obstacle: Obstacle| obstacle.text(voice.lang);
        let log = voice.log.prepare(&self.options.log, &options.log);
        let log = log.map_err(|error| {
            said(Obstacle::LogFileUnopenable {
                path: error.path,
                error: error.source.to_string(),
            })
        })?;
        let take_over = options.personality == Personality::NatsServer;
        let pid_file = match &options.pid_file {
            Some(path) if self.options.pid_file.as_ref() != Some(path) => {
                Some(PidFile::create(path, &self.program, take_over).map_err(said)?)
            }
            _ => None,
        };
        let ports_file = match &options.ports_file_dir {
            Some(directory) if self.options.ports_file_dir.as_ref() != Some(directory) => {
                Some(PortsFile::create(directory, &self.program, &self.ports).map_err(said)?)
            }
            _ => None,
        };
        let reloaded = self
            .server
            .reload(options.clone())
            .map_err(|error| match error {
                ReloadError::Unusable(error) => obstacle_of(error, &options).text(voice.lang),
                other => other.to_string(),
            })?;
        voice.log.apply(log);
        // What was before is removed with what held it.
        if self.options.pid_file != options.pid_file {
            self.pid_file = pid_file;
        }
        if self.options.ports_file_dir != options.ports_file_dir {
            self.ports_file = ports_file;
        }
        self.options = options;
        Ok(reloaded)
    }

    /// Does what signals say until the server has ended.
    fn live(mut self, mut signals: Signals, voice: &Voice) -> ExitCode {
        let handle = signals.handle();
        let ended = Arc::clone(&self.server);
        let watcher = std::thread::Builder::new()
            .name("ended".to_owned())
            .spawn(move || {
                ended.wait();
                handle.close();
            });
        if let Err(error) = watcher {
            voice.fatal(&cannot_start(error));
            return ExitCode::FAILURE;
        }
        let mut stance = Stance::default();
        for signal in signals.forever() {
            match stance.on(signal) {
                Action::Stop => {
                    voice.stopping(signal);
                    notify(voice, &[NotifyState::Stopping]);
                    self.server.handle().shutdown();
                }
                Action::Hurry => {
                    voice.say(&LifeText::Hurrying);
                    return ExitCode::FAILURE;
                }
                Action::EnterLameDuck => {
                    voice.lame_duck(self.options.lame_duck_duration.as_secs());
                    notify(voice, &[NotifyState::Stopping]);
                    self.server.lame_duck();
                }
                Action::ReopenLog => {
                    if !voice.log.reopen() {
                        voice.say(&LifeText::NoLogFile);
                    }
                }
                Action::Reload => during_reload(voice, || {
                    let asked = std::mem::take(&mut *self.reload_requests.lock());
                    let outcome = self.reload(voice);
                    for request in asked {
                        request.answer(outcome.as_ref().map(drop).map_err(Clone::clone));
                    }
                    let outcome = match outcome {
                        Ok(Reloaded { changed, dismissed }) => {
                            LifeText::Reloaded { changed, dismissed }
                        }
                        Err(why) => LifeText::ReloadRefused { why },
                    };
                    voice.reloaded(&outcome);
                }),
                Action::Ignore => voice.say(&LifeText::SignalIgnored {
                    signal: signals::name(signal),
                }),
            }
        }
        if !stance.was_told_to_go() {
            voice.say(&LifeText::EndedByItself);
            return ExitCode::FAILURE;
        }
        voice.stopped(!stance.is_stopping());
        ExitCode::SUCCESS
    }
}

/// Where WebSocket clients come in, and whether they must speak TLS there.
fn websocket_of(server: &Server, options: &Options) -> Option<(SocketAddr, bool)> {
    let websocket = options.websocket.as_ref()?;
    Some((server.websocket_addr()?, websocket.tls.is_some()))
}

/// Where MQTT clients come in, likewise.
fn mqtt_of(server: &Server, options: &Options) -> Option<(SocketAddr, bool)> {
    let mqtt = options.mqtt.as_ref()?;
    Some((server.mqtt_addr()?, mqtt.tls.is_some()))
}

fn cannot_start(error: io::Error) -> Obstacle {
    Obstacle::SystemRefuses {
        error: error.to_string(),
    }
}

/// The obstacle behind a server that did not start.
fn obstacle_of(error: StartError, options: &Options) -> Obstacle {
    match error {
        StartError::Listen { addr, source } => cannot_listen(addr, &source, options),
        StartError::Resolve { host, source } => Obstacle::Address(AddressProblem::UnknownHost {
            with: match options.monitoring.host.as_deref() == Some(&host) {
                true => "http",
                false => "-a",
            },
            host,
            error: source.to_string(),
        }),
        StartError::OpenToEverybody { host } => {
            Obstacle::Address(AddressProblem::OpenToEverybody { host })
        }
        StartError::Inherited(source) => Obstacle::InheritedUnusable {
            error: source.to_string(),
        },
        StartError::StoreNotDirectory { path } => Obstacle::StoreNotDirectory { path },
        StartError::StoreUncreatable { path, source } => Obstacle::StoreUncreatable {
            path,
            error: source.to_string(),
        },
        StartError::Store { path, source } => store_unusable(path, &source),
        StartError::Tls(problem) => Obstacle::Tls(problem),
        StartError::Threads(source) => cannot_start(source),
        StartError::Accounts(AccountsError::TooMuch {
            storage,
            wanted,
            max,
        }) => {
            let (of_accounts, of_server) = match storage {
                Storage::File => ("max_store", "max_file"),
                Storage::Memory => ("max_memory", "max_mem"),
            };
            Obstacle::AccountsWantTooMuch {
                of_accounts,
                of_server,
                wanted,
                max,
            }
        }
        StartError::Accounts(error) => Obstacle::Settings {
            faults: error.to_string(),
        },
        StartError::Options(faults) => Obstacle::Settings { faults },
    }
}

fn store_unusable(directory: PathBuf, error: &OpenError) -> Obstacle {
    match error {
        OpenError::KeyNeeded { file } => Obstacle::StoreLocked {
            path: directory.join(file),
            wrong: false,
        },
        OpenError::WrongKey { file } => Obstacle::StoreLocked {
            path: directory.join(file),
            wrong: true,
        },
        OpenError::KeyFile { file, missing } => Obstacle::StoreKeyUnusable {
            path: directory.join(file),
            missing: *missing,
        },
        error => Obstacle::StoreUnusable {
            path: directory,
            error: error.to_string(),
        },
    }
}

fn cannot_listen(addr: SocketAddr, error: &io::Error, options: &Options) -> Obstacle {
    let (host, port) = (addr.ip().to_string(), addr.port());
    let flag = if options.plain.iter().any(|plain| plain.port == port) {
        "--plain"
    } else if options.monitoring.port.or(options.monitoring.https_port) == Some(port) {
        "-m"
    } else if options.monitoring.profile_port == Some(port) {
        "--profile"
    } else if options
        .websocket
        .as_ref()
        .is_some_and(|websocket| websocket.port == port)
    {
        "websocket.port"
    } else if options.mqtt.as_ref().is_some_and(|mqtt| mqtt.port == port) {
        "mqtt.port"
    } else {
        "-p"
    };
    let with = match flag {
        "-m" | "--profile" => "http",
        "websocket.port" => "websocket.host",
        "mqtt.port" => "mqtt.host",
        _ => "-a",
    };
    Obstacle::Address(match error.kind() {
        io::ErrorKind::AddrInUse => {
            return Obstacle::PortHeld {
                host,
                port,
                flag,
                holder: holder::holder_of(addr),
            };
        }
        io::ErrorKind::PermissionDenied => AddressProblem::PortDenied { host, port, flag },
        io::ErrorKind::AddrNotAvailable => AddressProblem::NotOurs { host, with },
        _ => AddressProblem::Refused {
            address: addr.to_string(),
            error: error.to_string(),
        },
    })
}

fn raise_descriptors(options: &Options) -> ResourceText {
    // Nobody asked for as many as the default allows: those that fit will do.
    let wanted = (options.limits.max_connections)
        .filter(|wanted| Some(*wanted) != Limits::default().max_connections);
    match descriptors::raise() {
        Ok(granted) if granted.suffice_for(wanted) => ResourceText::DescriptorsEnough {
            limit: granted.limit,
            connections: granted.connections_max(),
        },
        Ok(granted) => ResourceText::DescriptorsFew {
            limit: granted.limit,
            connections: granted.connections_max(),
            wanted: wanted.unwrap_or_default() as u64,
        },
        Err(unknown) => unknown,
    }
}

/// Where a client on this machine reaches a server that listens there.
fn reachable(listening: SocketAddr) -> SocketAddr {
    match listening {
        _ if !listening.ip().is_unspecified() => listening,
        SocketAddr::V4(v4) => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) => (Ipv6Addr::LOCALHOST, v6.port()).into(),
    }
}

/// Which file the settings are from, and what is allowed in it but probably not meant.
fn report_configuration(serve: &Serve, lang: Lang) {
    if let Some(file) = &serve.config {
        let digest = serve.digest.as_deref().unwrap_or_default();
        tracing::info!("Using configuration file: {} ({digest})", file.display());
    }
    for warning in &serve.warnings {
        tracing::warn!("{}", warning.text(lang));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PlainListener;

    #[test]
    fn each_reason_not_to_listen_has_words_of_its_own_and_a_next_step() {
        let options = Options {
            plain: vec![PlainListener {
                port: 7,
                subject: "plain".to_owned(),
            }],
            ..Options::default()
        };
        let said = |kind: io::ErrorKind, at: &str, lang| {
            cannot_listen(at.parse().unwrap(), &kind.into(), &options).text(lang)
        };
        let denied = io::ErrorKind::PermissionDenied;
        let clients = said(denied, "127.0.0.1:80", Lang::En);
        assert!(clients.contains("above 1023 with -p"), "{clients}");
        let plain = said(denied, "127.0.0.1:7", Lang::Es);
        assert!(plain.contains("mayor que 1023 con --plain"), "{plain}");
        let other = said(io::ErrorKind::OutOfMemory, "[::1]:80", Lang::En);
        assert!(other.contains("listen on [::1]:80"), "{other}");
        let open = StartError::OpenToEverybody {
            host: "0.0.0.0".to_owned(),
        };
        let open = obstacle_of(open, &options).text(Lang::Es);
        assert!(
            open.contains("--token-file") && open.contains("0.0.0.0"),
            "{open}"
        );
    }

    #[test]
    fn scripts_find_the_words_they_look_for_when_there_is_no_place_for_streams() {
        let said = |error| obstacle_of(error, &Options::default()).text(Lang::En);
        let path = std::path::PathBuf::from("/data/jetstream");
        let file = said(StartError::StoreNotDirectory { path: path.clone() });
        assert!(
            file.contains("storage directory is not a directory") && file.contains("/data"),
            "{file}"
        );
        let source = io::ErrorKind::PermissionDenied.into();
        let denied = said(StartError::StoreUncreatable { path, source });
        assert!(
            denied.contains("could not create storage directory") && denied.contains("/data"),
            "{denied}"
        );
    }
}
