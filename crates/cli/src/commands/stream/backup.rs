//! A stream saved in a folder and made again of it, in the form that the `nats` CLI has too: `backup.json` with
//! the configuration and state, `stream.tar.s2` with what the server sent (E190, E191).
//!
//! A backup that is not whole is never left behind.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use async_nats::Subscriber;
use clap::Args;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Named;
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::fields::{number, words};
use crate::jetstream::{api, names, report};
use crate::progress;
use crate::span;
use crate::text::{failures, jetstream as common, stream as text};

/// What the server sends in one message, and what we do.
const CHUNK_BYTES: usize = 128 * 1024;

/// The configuration and state.
const CONFIG_FILE: &str = "backup.json";
/// What the server sent.
const DATA_FILE: &str = "stream.tar.s2";

/// `recado stream backup`.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = common::value_folder(), help = text::folder())]
    folder: PathBuf,
    #[arg(long, help = text::backup_no_consumers())]
    no_consumers: bool,
    #[arg(long, help = text::backup_check())]
    check: bool,
}

impl Backup {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let config = self.folder.join(CONFIG_FILE);
        let data = self.folder.join(DATA_FILE);
        for path in [&config, &data] {
            if path.exists() {
                return Err(Failure::Usage {
                    what: text::backup_exists(&path.display().to_string()),
                    next: text::backup_exists_next().to_owned(),
                });
            }
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| unwritable(&self.folder, &error))?;
        let saved = self.save(session, &config, &data, as_json).await;
        if saved.is_err() {
            // Half a backup is worse than none: somebody could trust it.
            let _ = std::fs::remove_file(&data);
            let _ = std::fs::remove_file(&config);
        }
        let (head, bytes) = saved?;
        let messages = number(&head, "/state/messages");
        let folder = self.folder.display().to_string();
        let object = json!({
            "stream": self.named.name, "messages": messages, "bytes": bytes, "folder": folder,
        });
        let size = amount::show_size(bytes);
        let words = text::backed_up(&self.named.name, &amount::show(messages), &size, &folder);
        report::tell(&words, &object, as_json)
    }

    async fn save(
        &self,
        session: &mut Session,
        config: &Path,
        data: &Path,
        quiet: bool,
    ) -> Result<(Value, u64), Failure> {
        let about = About::Stream(self.named.name.clone());
        let inbox = session.client.new_inbox();
        let chunks = session.client.subscribe(inbox.clone()).await;
        let chunks = chunks.map_err(|_| session.closed())?;
        let verb = format!("STREAM.SNAPSHOT.{}", self.named.name);
        let body = json!({
            "deliver_subject": inbox, "no_consumers": self.no_consumers, "jsck": self.check,
            "chunk_size": CHUNK_BYTES,
        });
        let head = api::ask(session, &verb, &body, &about).await?;
        let bar = progress::bar(
            Some(number(&head, "/state/bytes")),
            text::bar_backup(),
            quiet,
        );
        let bytes = self.receive(session, chunks, data, &bar).await?;
        bar.finish_and_clear();
        let mut kept = json!({ "config": head["config"], "state": head["state"] });
        if let Some(kind) = head.get("type") {
            kept["type"] = kind.clone();
        }
        let written = serde_json::to_vec_pretty(&kept).unwrap_or_default();
        std::fs::write(config, written).map_err(|error| unwritable(config, &error))?;
        Ok((head, bytes))
    }

    async fn receive(
        &self,
        session: &mut Session,
        mut chunks: Subscriber,
        path: &Path,
        bar: &ProgressBar,
    ) -> Result<u64, Failure> {
        let failed = |error: &std::io::Error| unwritable(path, error);
        let file = File::create(path).map_err(|error| failed(&error))?;
        let mut file = BufWriter::new(file);
        let mut bytes = 0;
        let limit = session.limit();
        loop {
            let chunk = tokio::select! {
                biased;
                chunk = timeout(limit, chunks.next()) => chunk,
                trouble = session.trouble() => return Err(trouble),
            };
            let silence = || failures::deadline_silence(&self.named.name, &span::show(limit));
            let chunk = chunk.map_err(|_| self.broken(&silence()))?;
            let chunk = chunk.ok_or_else(|| session.closed())?;
            if chunk.payload.is_empty() {
                match chunk.status.map(|status| status.as_u16()) {
                    None | Some(204) => break,
                    Some(status) => {
                        let said = chunk.description.unwrap_or_default();
                        return Err(self.broken(&format!("{status} {said}")));
                    }
                }
            }
            file.write_all(&chunk.payload)
                .map_err(|error| failed(&error))?;
            bytes += chunk.payload.len() as u64;
            bar.set_position(bytes);
            if let Some(reply) = chunk.reply {
                let acked = session.client.publish(reply, "".into()).await;
                acked.map_err(|_| session.closed())?;
            }
        }
        let file = file.into_inner().map_err(|error| failed(error.error()))?;
        file.sync_all().map_err(|error| failed(&error))?;
        Ok(bytes)
    }

    fn broken(&self, detail: &str) -> Failure {
        Failure::Local {
            what: text::backup_broken(&self.named.name, detail),
            next: text::backup_broken_next().to_owned(),
        }
    }
}

/// `recado stream restore`.
#[derive(Debug, Args)]
pub(super) struct Restore {
    #[arg(value_name = common::value_folder(), help = text::folder())]
    folder: PathBuf,
}

impl Restore {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let start = Instant::now();
        let (config, path) = (self.folder.join(CONFIG_FILE), self.folder.join(DATA_FILE));
        let no_backup = |detail: String| Failure::Local {
            what: text::no_backup(&self.folder.display().to_string(), &detail),
            next: text::no_backup_next().to_owned(),
        };
        let head = std::fs::read(&config).map_err(|error| no_backup(error.to_string()))?;
        let head: Value =
            serde_json::from_slice(&head).map_err(|error| no_backup(error.to_string()))?;
        let name = words(&head, "/config/name").to_owned();
        names::name(&name).map_err(no_backup)?;
        let file = File::open(&path).map_err(|error| no_backup(error.to_string()))?;
        let about = About::Stream(name.clone());
        let body = json!({ "config": head["config"], "state": head["state"] });
        let verb = format!("STREAM.RESTORE.{name}");
        let answer = api::ask(session, &verb, &body, &about).await?;
        let subject = words(&answer, "/deliver_subject").to_owned();
        let all = file.metadata().ok().map(|metadata| metadata.len());
        let bar = progress::bar(all, text::bar_restore(), as_json);
        let info = send(session, &path, file, &subject, &about, &bar).await?;
        bar.finish_and_clear();
        let messages = number(&info, "/state/messages");
        let took = span::show(start.elapsed());
        let words = text::restored(&name, &amount::show(messages), &took);
        report::tell(&words, &info, as_json)
    }
}

/// Sends the file, each chunk when the one before it has been taken; the stream that came of it.
async fn send(
    session: &mut Session,
    path: &Path,
    mut file: File,
    subject: &str,
    about: &About,
    bar: &ProgressBar,
) -> Result<Value, Failure> {
    let mut chunk = vec![0; CHUNK_BYTES.min(session.client.max_payload())];
    loop {
        let length = file.read(&mut chunk).map_err(|error| Failure::Local {
            what: failures::file_unreadable(&path.display().to_string(), &error.to_string()),
            next: failures::file_unreadable_next().to_owned(),
        })?;
        let payload = chunk.get(..length).unwrap_or_default().to_vec();
        let taken = api::request(session, subject.to_owned(), None, payload.into()).await?;
        let taken = taken.ok_or_else(|| session.closed())?;
        // An answer before the end is empty, or says why it can't go on.
        if length == 0 || !taken.payload.is_empty() {
            return api::answer(session, &taken, about);
        }
        bar.inc(length as u64);
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("{}: {error}", path.display());
    Failure::Local {
        what: failures::output_failed(&what),
        next: failures::output_failed_next().to_owned(),
    }
}
