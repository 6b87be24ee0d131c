//! Objects put, got and deleted. A file that is got is checked before it takes its name; what could not be put
//! whole leaves nothing behind.

use std::fs::File;
use std::io::{Read, Stdin, Write, stdin};
use std::path::{Path, PathBuf};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::meta::{self, Meta};
use super::{Bucket, Named};
use crate::amount;
use crate::connect::Session;
use crate::exit::Status;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::publish::Window;
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::{fields, report};
use crate::progress;
use crate::settings::unreadable;
use crate::span;
use crate::terminal::Out;
use crate::text::{failures, help, jetstream as common, object as text};
use crate::unique;

/// How large the pieces are.
const PIECE_BYTES: usize = 128 * 1024;

/// How many may be on their way without having been acknowledged.
const WAITING_MAX: usize = 16;

/// `recado object put`.
#[derive(Debug, Args)]
pub(super) struct Put {
    #[command(flatten)]
    of: Bucket,
    #[arg(value_name = help::value_file(), help = text::put_file())]
    file: PathBuf,
    #[arg(long = "as", value_name = common::value_object(), value_parser = meta::name,
        help = text::put_as())]
    name: Option<String>,
    #[arg(long, value_name = help::value_text(), help = common::description())]
    description: Option<String>,
    #[arg(long, value_name = common::value_pair(), value_parser = fields::pair,
        help = common::metadata())]
    metadata: Vec<(String, String)>,
}

/// What is put: how it is called, its bytes, and how many there are if that is known.
pub(super) struct Source {
    name: String,
    bytes: Input,
    size: Option<u64>,
}

enum Input {
    File(File),
    Stdin(Stdin),
}

impl Input {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Stdin(stdin) => stdin.read(into),
        }
    }

    /// A piece: as much as fits, less only at the end.
    fn piece(&mut self) -> std::io::Result<Vec<u8>> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut filled = 0;
        while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read(rest) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        piece.truncate(filled);
        Ok(piece)
    }
}

/// What was sent of an object.
struct Sent {
    size: u64,
    chunks: u64,
    digest: String,
}

impl Put {
    /// Opens what is to be put.
    pub(super) fn open(&self) -> Result<Source, Failure> {
        let own = self.file.file_name().map(|name| name.to_string_lossy());
        if self.file.as_os_str() == "-" {
            let name = self.name.clone().ok_or_else(|| Failure::Usage {
                what: text::name_needed().to_owned(),
                next: text::name_needed_next().to_owned(),
            })?;
            let bytes = Input::Stdin(stdin());
            return Ok(Source {
                name,
                bytes,
                size: None,
            });
        }
        let file = File::open(&self.file).map_err(|error| unreadable(&self.file, &error))?;
        let size = file.metadata().ok();
        let size = size.filter(std::fs::Metadata::is_file);
        let name = self.name.clone().or(own.map(|own| own.into_owned()));
        Ok(Source {
            name: name.unwrap_or_default(),
            bytes: Input::File(file),
            size: size.map(|metadata| metadata.len()),
        })
    }

    pub(super) async fn run(
        &self,
        session: &mut Session,
        mut source: Source,
        as_json: bool,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        let bucket = &self.of.bucket;
        meta::bucket(bucket).info(session).await?;
        let name = source.name.clone();
        let before = match meta::find(session, bucket, &name).await {
            Ok(before) => Some(before),
            Err(failure) if failure.status() == Status::NotFound => None,
            Err(failure) => return Err(failure),
        };
        let id = format!("{}{}", unique::token(), unique::token());
        let sent = self.send(session, &mut source, &id, as_json).await;
        let sent = match sent {
            Ok(sent) => sent,
            Err(failure) => {
                // As far as it still can be: the cause is what the person must hear of.
                let _ = meta::drop_pieces(session, bucket, &id).await;
                return Err(failure);
            }
        };
        let pairs = self.metadata.iter();
        let metadata: serde_json::Map<_, _> = pairs
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        let mut said = json!({
            "name": name, "bucket": bucket, "nuid": id, "size": sent.size, "chunks": sent.chunks,
            "digest": sent.digest, "mtime": crate::shown::timestamp(),
            "options": { "max_chunk_size": PIECE_BYTES },
        });
        if let Some(description) = &self.description {
            said["description"] = description.as_str().into();
        }
        if !metadata.is_empty() {
            said["metadata"] = metadata.into();
        }
        meta::store(session, bucket, &name, &said).await?;
        if let Some(before) = before {
            meta::drop_pieces(session, bucket, before.id()).await?;
        }
        let took = span::show(start.elapsed());
        let size = amount::show_size(sent.size);
        report::tell(&text::put_done(&name, &size, &took), &said, as_json)
    }

    /// Sends the pieces, some at once, in order.
    async fn send(
        &self,
        session: &mut Session,
        source: &mut Source,
        id: &str,
        quiet: bool,
    ) -> Result<Sent, Failure> {
        let bucket = &self.of.bucket;
        let about = About::Object(bucket.clone(), source.name.clone());
        let subject = meta::pieces(bucket, id);
        let mut window = Window::open(session, &subject, &about).await?;
        let bar = progress::bar(source.size, text::bar_put(), quiet);
        let mut digest = Sha256::new();
        let mut size = 0;
        loop {
            let piece = source.bytes.piece();
            let piece = piece.map_err(|error| unreadable(&self.file, &error))?;
            if piece.is_empty() {
                break;
            }
            digest.update(&piece);
            size += piece.len() as u64;
            window.send(session, None, piece.into()).await?;
            bar.set_position(size);
            while window.waiting() >= WAITING_MAX {
                window.acked(session).await?;
            }
        }
        while window.acked(session).await?.is_some() {}
        bar.finish_and_clear();
        Ok(Sent {
            size,
            chunks: window.sent(),
            digest: shown_digest(digest),
        })
    }
}

/// As it stands in what is said about an object.
fn shown_digest(digest: Sha256) -> String {
    format!("SHA-256={}", URL_SAFE.encode(digest.finalize()))
}

/// `recado object get`.
#[derive(Debug, Args)]
pub(super) struct Get {
    #[command(flatten)]
    named: Named,
    #[arg(short, long, value_name = help::value_file(), help = text::output())]
    output: Option<PathBuf>,
    #[command(flatten)]
    consent: Consent,
}

impl Get {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Named { of, name } = &self.named;
        let found = meta::find(session, &of.bucket, name).await?;
        if let Some(target) = found.link() {
            return Err(Failure::Usage {
                what: text::is_link(name, &target),
                next: text::is_link_next().to_owned(),
            });
        }
        // Only the last part of the name: an object must not choose a folder here.
        let own = Path::new(name).file_name().map(PathBuf::from);
        let path = self.output.clone().or(own).unwrap_or_default();
        if path.as_os_str() == "-" {
            let mut out = Out::new();
            self.receive(session, &found, true, |bytes| out.bytes(bytes))
                .await?;
            return out.flush();
        }
        if path.exists() {
            let question = text::exists(&path.display().to_string());
            self.consent.ask(&question).await?;
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let failed = |error: &std::io::Error| {
            let detail = format!("{}: {error}", path.display());
            Failure::Local {
                what: failures::output_failed(&detail),
                next: failures::output_failed_next().to_owned(),
            }
        };
        let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
        let written = self.receive(session, &found, as_json, |bytes| {
            draft.write_all(bytes).map_err(|error| failed(&error))
        });
        written.await?;
        readable(draft.as_file()).map_err(|error| failed(&error))?;
        draft.persist(&path).map_err(|error| failed(&error.error))?;
        let shown = path.display().to_string();
        let size = amount::show_size(found.size());
        let mut object = found.0.clone();
        object["file"] = shown.as_str().into();
        report::tell(&text::got(name, &size, &shown), &object, as_json)
    }

    /// Hands the pieces to `write`, and checks at the end that they are what was put.
    async fn receive(
        &self,
        session: &mut Session,
        found: &Meta,
        quiet: bool,
        mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Named { of, name } = &self.named;
        let about = About::Object(of.bucket.clone(), name.clone());
        let mut digest = Sha256::new();
        let mut size = 0;
        if found.chunks() > 0 {
            let (stream, filter) = (
                meta::stream(&of.bucket),
                meta::pieces(&of.bucket, found.id()),
            );
            let start = Start::All;
            let mut reader =
                Reader::open(session, &stream, Some(&filter), start, false, &about).await?;
            if reader.pending() < found.chunks() {
                return Err(damaged(text::cut_short(name)));
            }
            let bar = progress::bar(Some(found.size()), text::bar_get(), quiet);
            let read = reader.drain(session, |stored| {
                let bytes = &stored.message.payload;
                digest.update(bytes);
                size += bytes.len() as u64;
                bar.set_position(size);
                write(bytes)?;
                Ok(true)
            });
            read.await?;
            bar.finish_and_clear();
        }
        let wanted = fields::words(&found.0, "/digest");
        let is_whole = size == found.size();
        // Whoever has put it may not have said a digest; the size is then all there is.
        let is_right = wanted.is_empty()
            || wanted.trim_end_matches('=') == shown_digest(digest).trim_end_matches('=');
        match is_whole && is_right {
            true => Ok(()),
            false => Err(damaged(text::damaged(name))),
        }
    }
}

fn damaged(what: String) -> Failure {
    Failure::Local {
        what,
        next: text::damaged_next().to_owned(),
    }
}

/// A draft is its owner's alone; a file that somebody got is as their other files are.
fn readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(mask);
    let mode = 0o666 & !mask.bits();
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// `recado object del`.
#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    consent: Consent,
}

impl Delete {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Named { of, name } = &self.named;
        let bucket = &of.bucket;
        let found = meta::find(session, bucket, name).await?;
        self.consent.ask(&text::del_question(name, bucket)).await?;
        let mut said = found.0.clone();
        said["size"] = 0.into();
        said["chunks"] = 0.into();
        said["deleted"] = true.into();
        meta::store(session, bucket, name, &said).await?;
        meta::drop_pieces(session, bucket, found.id()).await?;
        let about = About::Object(bucket.clone(), name.clone());
        let object = json!({ "bucket": bucket, "removed": name });
        report::tell(&common::removed(&about.words()), &object, as_json)
    }
}
