//! The server under load: its folder, its configuration in all the forms that it takes, its process.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::line::{Doors, Login};
use super::monitor::Monitor;
use crate::error::{Doing, Error, Result};

/// How long the server may take to start, to stop, or to read its configuration.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Publishes, subscribes, stores; no change of the configuration touches it.
pub(super) const STEADY: Login = login("steady", "a steady word of many letters");
/// In an account that imports what the steady one's exports.
pub(super) const NEIGHBOUR: Login = login("neighbour", "a neighbour's word of many letters");
/// Of the system account.
pub(super) const WATCHER: Login = login("watcher", "a watcher's word of many letters");
/// May subscribe here in one configuration, there in the next.
pub(super) const SHIFTING: Login = login("shifting", "a shifting word of many letters");
/// Is in every second configuration.
pub(super) const VISITOR: Login = login("visitor", "a visitor's word of many letters");
/// Has a password that is kept as a bcrypt hash.
pub(super) const CAREFUL: Login = login("careful", "a careful word of many letters");

/// The cheapest that bcrypt has: what it costs is not what is looked at.
const BCRYPT_COST: u32 = 4;
const CERTIFICATES: usize = 2;

const fn login(user: &'static str, password: &'static str) -> Login {
    Login { user, password }
}

/// What differs from one configuration to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Whether the visitor is a user.
    pub(super) visitor: bool,
    /// Whether the shifting user may subscribe to `there.>`; else to `here.>`.
    pub(super) there: bool,
    /// Which of the certificates lies in the place of the one in use.
    pub(super) certificate: usize,
}

/// A server that serves, and everything of its own.
pub(super) struct Place {
    folder: TempDir,
    ports: Ports,
    child: Child,
    /// The certificates as DER, in the order of `Form::certificate`.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    careful: String,
}

#[derive(Clone, Copy)]
struct Ports {
    clients: u16,
    websocket: u16,
    mqtt: u16,
    monitoring: u16,
}

impl Place {
    /// Makes the files in a new folder under `parent`, and starts the server.
    pub(super) fn start(server: &Path, parent: &Path) -> Result<Self> {
        fs::create_dir_all(parent).doing(format!("making {}", parent.display()))?;
        let folder = tempfile::Builder::new()
            .prefix("recado-soak-")
            .tempdir_in(parent)
            .doing(format!("making a folder in {}", parent.display()))?;
        let ports = Ports::free()?;
        let certificates = make_certificates(folder.path())?;
        let careful = bcrypt::hash(CAREFUL.password, BCRYPT_COST)
            .map_err(|error| Error::Server(format!("no bcrypt hash: {error}")))?;
        let conf = folder.path().join("server.conf");
        let log = folder.path().join("server.log");
        let mut command = Command::new(server);
        command.arg("-c").arg(&conf).arg("-l").arg(&log);
        command.env("XDG_STATE_HOME", folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.path().join("stderr")).doing("a file for errors")?);
        put_certificate(folder.path(), 0)?;
        fs::write(
            &conf,
            configuration(folder.path(), ports, &careful, Form::default()),
        )
        .doing("writing the configuration")?;
        let child = command
            .spawn()
            .doing(format!("starting {}", server.display()))?;
        let mut place = Self {
            folder,
            ports,
            child,
            certificates,
            careful,
        };
        place.wait_until_it_serves()?;
        Ok(place)
    }

    pub(super) fn doors(&self) -> Result<Doors> {
        let Ports {
            clients,
            websocket,
            mqtt,
            ..
        } = self.ports;
        Doors::new(clients, websocket, mqtt, &self.certificates)
    }

    pub(super) fn monitor(&self) -> Monitor {
        Monitor::new(self.ports.monitoring)
    }

    pub(super) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// The folder of its store.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// What those need who change the configuration.
    pub(super) fn desk(&self) -> Desk {
        Desk {
            folder: self.folder.path().to_owned(),
            ports: self.ports,
            careful: self.careful.clone(),
            pid: self.pid(),
        }
    }

    /// The last lines of its log.
    pub(super) fn log_end(&self) -> String {
        let text = |name| fs::read(self.folder.path().join(name)).unwrap_or_default();
        let bytes = [text("server.log"), text("stderr")].concat();
        let from = bytes.len().saturating_sub(3000);
        String::from_utf8_lossy(&bytes[from..]).into_owned()
    }

    /// Lines of the log at the level of errors that neither a client nor a mistake of ours in the configuration
    /// explains, the last fifty.
    pub(super) fn errors_in_log(&self) -> Vec<String> {
        let bytes = fs::read(self.folder.path().join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        // Of an MQTT client's task such a line may be about its streams, too.
        let by_client = |line: &str| match line.contains("MQTT") {
            true => line.contains("MQTT protocol error") || line.contains("its login failed"),
            false => line.contains(" cid="),
        };
        let explained = |line: &str| by_client(line) || line.contains("no_such_key_exists");
        let errors = text
            .lines()
            .rev()
            .filter(|line| line.contains(" ERROR ") && !explained(line));
        errors.take(50).map(str::to_owned).collect()
    }

    /// Ends it as a service manager would: whether it ended in order.
    pub(super) fn stop(mut self) -> Result<()> {
        signal(self.pid(), Signal::SIGTERM)?;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if let Some(ended) = self.child.try_wait().doing("waiting for the server")? {
                return if ended.success() {
                    Ok(())
                } else {
                    Err(Error::Server(format!("the server ended with {ended}")))
                };
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Error::Server(format!(
            "the server did not end within {} s of SIGTERM",
            PATIENCE.as_secs()
        )))
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn wait_until_it_serves(&mut self) -> Result<()> {
        let started = Instant::now();
        while self.monitor().get("/healthz").is_err() {
            if self.has_ended() || started.elapsed() > PATIENCE {
                return Err(Error::Server(format!(
                    "the server does not serve; its log ends:\n{}",
                    self.log_end()
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Changes the configuration of a server that runs.
pub(super) struct Desk {
    folder: PathBuf,
    ports: Ports,
    careful: String,
    pid: i32,
}

impl Desk {
    /// Puts this configuration and certificate in the place of those in use, and asks to read them.
    pub(super) fn put(&self, form: Form) -> Result<()> {
        put_certificate(&self.folder, form.certificate)?;
        let text = configuration(&self.folder, self.ports, &self.careful, form);
        self.replace(&text)
    }

    /// The same with a mistake in it, which must change nothing.
    pub(super) fn put_mistake(&self, form: Form) -> Result<()> {
        let text = configuration(&self.folder, self.ports, &self.careful, form);
        self.replace(&(text + "no_such_key_exists: true\n"))
    }

    fn replace(&self, text: &str) -> Result<()> {
        let (new, conf) = (
            self.folder.join("server.conf.new"),
            self.folder.join("server.conf"),
        );
        fs::write(&new, text).doing("writing the configuration")?;
        fs::rename(&new, &conf).doing("replacing the configuration")?;
        signal(self.pid, Signal::SIGHUP)
    }
}

impl Ports {
    /// Four that were free a moment ago.
    fn free() -> Result<Self> {
        let hold = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("looking for a free port");
        let held = [hold()?, hold()?, hold()?, hold()?];
        let port = |at: usize| {
            let address = held[at].local_addr().doing("looking for a free port")?;
            Ok::<_, Error>(address.port())
        };
        Ok(Self {
            clients: port(0)?,
            websocket: port(1)?,
            mqtt: port(2)?,
            monitoring: port(3)?,
        })
    }
}

fn signal(pid: i32, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(pid), signal).doing(format!("sending {signal} to the server"))
}

fn make_certificates(folder: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let make = |number: usize| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .map_err(|error| Error::Server(format!("no certificate: {error}")))?;
        let write = |name: &str, text: String| {
            fs::write(folder.join(format!("{name}-{number}.pem")), text).doing("writing keys")
        };
        write("cert", made.cert.pem())?;
        write("key", made.signing_key.serialize_pem())?;
        Ok(made.cert.der().clone())
    };
    (0..CERTIFICATES).map(make).collect()
}

/// By renaming, as whatever renews certificates does it.
fn put_certificate(folder: &Path, number: usize) -> Result<()> {
    for name in ["cert", "key"] {
        let (from, new) = (
            folder.join(format!("{name}-{number}.pem")),
            folder.join(format!("{name}.new")),
        );
        fs::copy(&from, &new).doing("copying a certificate")?;
        fs::rename(&new, folder.join(format!("{name}.pem"))).doing("replacing a certificate")?;
    }
    Ok(())
}

fn configuration(folder: &Path, ports: Ports, careful: &str, form: Form) -> String {
    let user = |login: Login, more: &str| {
        let Login { user, password } = login;
        format!("      {{ user: {user}, password: {password:?}{more} }}\n")
    };
    let place = if form.there { "there" } else { "here" };
    let shifting = format!(
        ", permissions {{ publish: \"{place}.>\", subscribe: [\"{place}.>\", \"_INBOX.>\"] }}"
    );
    let careful = format!(
        "      {{ user: {}, password: {careful:?} }}\n",
        CAREFUL.user
    );
    let visitor = if form.visitor {
        user(VISITOR, "")
    } else {
        String::new()
    };
    let Ports {
        clients,
        websocket,
        mqtt,
        monitoring,
    } = ports;
    let file = |name: &str| folder.join(name);
    format!(
        "\
listen: \"127.0.0.1:{clients}\"
server_name: soak
http: \"127.0.0.1:{monitoring}\"
max_pending: 2MiB
write_deadline: \"3s\"
ping_interval: \"20s\"
max_closed_clients: 500
tls {{ cert_file: {cert:?}, key_file: {key:?} }}
allow_non_tls: true
websocket {{ host: \"127.0.0.1\", port: {websocket}, no_tls: true, compression: true }}
mqtt {{ host: \"127.0.0.1\", port: {mqtt} }}
jetstream {{ store_dir: {store:?}, max_file_store: 1GB }}
system_account: SYS
accounts {{
  APP {{
    jetstream: enabled
    users: [
{steady}{shifting}{careful}{visitor}    ]
    exports: [ {{ stream: \"soak.flow.>\" }}, {{ service: \"soak.ask\" }} ]
  }}
  NEAR {{
    users: [
{neighbour}    ]
    imports: [
      {{ stream: {{ account: APP, subject: \"soak.flow.>\" }} }}
      {{ service: {{ account: APP, subject: \"soak.ask\" }}, to: \"their.ask\" }}
    ]
  }}
  SYS {{ users: [
{watcher}  ] }}
}}
",
        cert = file("cert.pem"),
        key = file("key.pem"),
        store = file("store"),
        steady = user(STEADY, ""),
        shifting = user(SHIFTING, &shifting),
        neighbour = user(NEIGHBOUR, ""),
        watcher = user(WATCHER, ""),
    )
}
