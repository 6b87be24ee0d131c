//! What responders say of the server's own certificates (B09), shown to clients in the handshake (stapling), so that they
//! need not ask themselves. A thread for each such certificate asks again in time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

use super::cache::replace_file;
use super::link::{Link, asks_for_staple};
use super::peer::holds;
use super::responder::{self, Answer, NotAsked};
use super::response::{self, Response, Status};
use crate::config::{OcspMode, OcspOptions, Options};
use crate::tls::TlsProblem;

/// Time that responders have to answer, all of one certificate's together.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// When it is asked again whose answer does not say until when it holds.
const WITHOUT_NEXT_UPDATE: Duration = Duration::from_secs(24 * 3600);
/// When it is asked again where nothing that holds is left.
const WITHOUT_ANSWER: Duration = Duration::from_secs(120);
/// When it is asked again at the earliest.
const AGAIN_MIN: Duration = Duration::from_secs(1);
/// The directory inside `store_dir` that answers are kept in, as with nats-server.
const DIRECTORY: &str = "ocsp";
/// Certificates whose last answer is known. A server has a few; each reload may bring others.
const KNOWN_MAX: usize = 64;
/// Bytes of such a file that are read.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// SHA-256 of a certificate.
type Digest = [u8; 32];

/// What to do about staples.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) options: OcspOptions,
    /// Where answers are kept, if anywhere.
    pub(super) directory: Option<PathBuf>,
    /// The last of each certificate: what one listener knows, and what was known before a reload, is not asked for again.
    known: Arc<Mutex<HashMap<Digest, Answer>>>,
    /// Ends the server.
    pub(super) end: Arc<dyn Fn() + Send + Sync>,
}

impl Plan {
    pub(super) fn new(options: &Options, end: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            options: options.ocsp.clone(),
            directory: directory(options),
            known: Arc::default(),
            end,
        }
    }

    /// The same for other options.
    pub(super) fn renewed(&self, options: &Options) -> Self {
        Self {
            options: options.ocsp.clone(),
            directory: directory(options),
            known: Arc::clone(&self.known),
            end: Arc::clone(&self.end),
        }
    }
}

fn directory(options: &Options) -> Option<PathBuf> {
    // Beside the streams, if there are any.
    let streams = &options.streams;
    let store = streams.enabled.then_some(streams.store_dir.as_ref());
    Some(store.flatten()?.join(DIRECTORY))
}

/// A certificate that is shown with what its responder says of it. When this is dropped nobody asks any more.
pub(in crate::tls) struct Stapled {
    _stop: Sender<()>,
}

impl std::fmt::Debug for Stapled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stapled")
    }
}

/// The certificate and its key, as clients are shown it now.
pub(in crate::tls) type Replaceable = Arc<ArcSwap<CertifiedKey>>;

/// Whoever asks for one certificate.
struct Keeper {
    /// File of the certificate, to be told of.
    path: PathBuf,
    link: Link,
    responders: Vec<String>,
    plan: Plan,
    /// The server ends when it was revoked.
    ends: bool,
    shown: Replaceable,
    /// The last answer, while it holds.
    last: Option<Response>,
}

/// Begins to show a certificate with a staple, if it is to be; it has the first when this returns.
///
/// # Errors
/// When it must have one and can't, or was revoked and the server must not run then.
pub(super) fn begin(
    path: &Path,
    shown: &Replaceable,
    authorities: impl FnOnce() -> Vec<CertificateDer<'static>>,
    plan: &Plan,
) -> Result<Option<Stapled>, TlsProblem> {
    let key = shown.load_full();
    let Some(certificate) = key.cert.first() else {
        return Ok(None);
    };
    let asks = asks_for_staple(certificate);
    let (staples, ends) = match plan.options.mode {
        OcspMode::Never => {
            if asks {
                tracing::warn!(
                    "the certificate in {} asks to be shown with a staple (Must-Staple), and ocsp is off: clients may refuse it",
                    path.display()
                );
            }
            (false, false)
        }
        OcspMode::Always => (true, true),
        OcspMode::Must => (asks, asks),
        OcspMode::Auto => (asks, false),
    };
    if !staples {
        return Ok(None);
    }
    let link = Link::find(certificate, key.cert[1..].iter())
        .or_else(|_| Link::find(certificate, authorities().iter()));
    let link = link.map_err(|_| TlsProblem::NoIssuer {
        path: path.to_owned(),
    })?;
    let responders = match plan.options.urls.as_slice() {
        [] => link.responders(),
        urls => urls.to_vec(),
    };
    let keeper = Keeper {
        path: path.to_owned(),
        link,
        responders,
        plan: plan.clone(),
        ends,
        shown: Arc::clone(shown),
        last: None,
    };
    keeper.start().map(Some)
}

impl Keeper {
    /// Waits for the first answer, and leaves a thread behind for the next ones.
    fn start(mut self) -> Result<Stapled, TlsProblem> {
        let (path, ends) = (self.path.clone(), self.ends);
        let no_staple = |why: NotAsked| TlsProblem::NoStaple {
            path: path.clone(),
            error: why.to_string(),
        };
        let (stop, stopped) = mpsc::channel();
        let (first, heard) = mpsc::sync_channel(1);
        let run = move || {
            let begun = self.first();
            let goes_on = begun.is_ok();
            // Whoever started it waits for this.
            let _ = first.send(begun);
            if goes_on {
                self.run(&stopped);
            }
        };
        std::thread::Builder::new()
            .name("ocsp".to_owned())
            .spawn(run)
            .map_err(|error| no_staple(error.into()))?;
        // It sends one, unless it panics; its hook told then.
        let begun = heard.recv().unwrap_or(Err(NotAsked::NoResponder));
        match begun.map_err(no_staple)? {
            status if status != Status::Good && ends => Err(TlsProblem::CertificateNotGood {
                path,
                status: status.word(),
            }),
            _ => Ok(Stapled { _stop: stop }),
        }
    }

    /// The answer that is kept, else a new one.
    fn first(&mut self) -> Result<Status, NotAsked> {
        let answer = match self.kept() {
            Some(answer) => answer,
            None => self.ask()?,
        };
        let status = answer.response.status;
        tracing::info!(certificate = %self.path.display(), status = status.word(), "OCSP stapling is on");
        if status != Status::Good {
            self.tell_of(status);
        }
        self.show(answer);
        Ok(status)
    }

    fn run(&mut self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(self.wait()) == Err(RecvTimeoutError::Timeout) {
            let asked = self.ask();
            // A reload may have shown another certificate meanwhile: this one is nobody's any more.
            if stopped.try_recv() != Err(TryRecvError::Empty) {
                return;
            }
            match asked {
                Ok(answer) => {
                    let status = answer.response.status;
                    tracing::info!(certificate = %self.path.display(), status = status.word(), "OCSP staple renewed");
                    self.show(answer);
                    if status != Status::Good {
                        self.tell_of(status);
                        if self.ends {
                            (self.plan.end)();
                            return;
                        }
                    }
                }
                Err(why) => {
                    tracing::error!(certificate = %self.path.display(), "no new OCSP staple: {why}; it will be asked for again");
                    self.take_back();
                }
            }
        }
    }

    fn tell_of(&self, status: Status) {
        let then = match self.ends {
            true => "the server stops (mode of ocsp): get another certificate",
            false => "clients may refuse it: get another certificate",
        };
        tracing::error!(
            certificate = %self.path.display(),
            "the certificate's status is {}: {then}",
            status.word()
        );
    }

    /// How long until the next question: half of the time that the last answer holds.
    fn wait(&self) -> Duration {
        let Some(last) = self.last else {
            return WITHOUT_ANSWER;
        };
        let Some(until) = last.next_update else {
            return WITHOUT_NEXT_UPDATE;
        };
        match until.duration_since(SystemTime::now()) {
            Ok(left) => (left / 2).max(AGAIN_MIN),
            Err(_) => WITHOUT_ANSWER,
        }
    }

    fn holds(&self, response: &Response) -> bool {
        let always = WITHOUT_NEXT_UPDATE * 365;
        holds(response, SystemTime::now(), Duration::ZERO, always)
    }

    fn digest(&self) -> Digest {
        Sha256::digest(&self.link.certificate).into()
    }

    fn file(&self) -> Option<PathBuf> {
        let directory = self.plan.directory.as_ref()?;
        let digest = self.digest();
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(directory.join(name))
    }

    /// The last answer, of this server or one before it, if it still holds.
    fn kept(&self) -> Option<Answer> {
        use std::io::Read as _;
        let known = self.plan.known.lock().get(&self.digest()).cloned();
        if let Some(known) = known.filter(|known| self.holds(&known.response)) {
            return Some(known);
        }
        let file = std::fs::File::open(self.file()?).ok()?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let response = response::read(&bytes, &self.link, SystemTime::now()).ok()?;
        self.holds(&response).then_some(Answer { bytes, response })
    }

    fn ask(&self) -> Result<Answer, NotAsked> {
        let each =
            ANSWER_TIME_MAX / u32::try_from(self.responders.len().max(1)).unwrap_or(u32::MAX);
        let answer = responder::ask(&self.link, &self.responders, each)?;
        if !self.holds(&answer.response) {
            return Err(NotAsked::OutOfDate);
        }
        let mut known = self.plan.known.lock();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(self.digest(), answer.clone());
        drop(known);
        if let Some(Err(error)) = self.file().map(|file| keep(&file, &answer.bytes)) {
            // It will be asked for again after the next start.
            tracing::warn!(certificate = %self.path.display(), "the OCSP staple can't be kept: {error}");
        }
        Ok(answer)
    }

    fn show(&mut self, answer: Answer) {
        self.last = Some(answer.response);
        self.staple(Some(answer.bytes));
    }

    /// Nothing is shown rather than what does not hold any more.
    fn take_back(&mut self) {
        if self.last.is_some_and(|last| !self.holds(&last)) {
            self.last = None;
            self.staple(None);
        }
    }

    fn staple(&self, ocsp: Option<Vec<u8>>) {
        let key = self.shown.load();
        let stapled = CertifiedKey {
            cert: key.cert.clone(),
            key: Arc::clone(&key.key),
            ocsp,
        };
        self.shown.store(Arc::new(stapled));
    }
}

fn keep(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        let made = crate::store_dir::prepare(directory);
        made.map_err(|error| std::io::Error::other(error.to_string()))?;
    }
    replace_file(file, bytes)
}
