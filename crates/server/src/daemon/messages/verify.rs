//! What `verify` says about a store.

use std::path::PathBuf;

use super::{Pair, choose};
use crate::config::Lang;

/// Something to tell about a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyText {
    /// What the bar is about while the store is read.
    Checking,
    /// What it is about while the store is copied.
    Copying,
    /// It can't be read at all.
    Unreadable {
        /// Directory of the store.
        directory: PathBuf,
        /// Why.
        error: String,
    },
    /// What is whole could not be copied.
    NotSalvaged {
        /// Directory of the new store.
        directory: PathBuf,
        /// Why.
        error: String,
    },
    /// A record, or bytes that held records, can't be read as they were written.
    Lost {
        /// The stream, by name or number, if that is still known.
        stream: Option<String>,
        /// The sequence, if that is still known.
        sequence: Option<u64>,
        /// The segment's file.
        file: String,
        /// First of the bytes.
        offset: u32,
        /// How many.
        bytes: u32,
    },
    /// Something of a segment is damaged that no record depends on.
    Harmless {
        /// The segment's file.
        file: String,
        /// `header` or `footer`.
        part: &'static str,
    },
    /// What is written down of deleted messages is damaged.
    Released,
    /// The end of what was being written when the last process ended.
    Cut {
        /// The segment's file.
        file: String,
        /// Where the last whole record ends.
        offset: u32,
        /// Bytes behind it.
        bytes: u32,
    },
    /// How it ended.
    Sum {
        /// Segments that were read.
        segments: u32,
        /// Whole records.
        records: u64,
        /// Their bytes.
        bytes: u64,
        /// Damaged records and places.
        lost: u64,
    },
    /// How much of it is encrypted.
    Encrypted {
        /// Segments that are.
        encrypted: u32,
        /// All segments.
        segments: u32,
        /// Records of which only the checksums were looked at.
        unread: u64,
    },
    /// The key is another one.
    WrongKey {
        /// The file with the store's own key.
        file: PathBuf,
    },
    /// What can't be read can't be copied.
    SalvageNeedsKey,
    /// The file with the key can't be read.
    KeyFileUnreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// What is whole was copied.
    Salvaged {
        /// Directory of the new store.
        directory: PathBuf,
    },
}

impl VerifyText {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::Checking => ("checking".to_owned(), "comprobando".to_owned()),
            Self::Copying => ("copying".to_owned(), "copiando".to_owned()),
            Self::Unreadable { directory, error } => (
                format!("can't check {}: {error}", directory.display()),
                format!("no se puede comprobar {}: {error}", directory.display()),
            ),
            Self::NotSalvaged { directory, error } => (
                format!(
                    "can't copy what is whole to {}: {error}",
                    directory.display()
                ),
                format!(
                    "no se puede copiar lo que está entero a {}: {error}",
                    directory.display()
                ),
            ),
            Self::Lost {
                stream,
                sequence,
                file,
                offset,
                bytes,
            } => lost(stream.as_deref(), *sequence, file, *offset, *bytes),
            Self::Harmless { file, part } => (
                format!("{file}: its {part} is damaged; no record is lost with it"),
                format!(
                    "{file}: está dañado su {}; no se pierde con ello ningún registro",
                    if *part == "header" {
                        "encabezado"
                    } else {
                        "índice final"
                    }
                ),
            ),
            Self::Released => (
                "released: part of what says which messages are deleted is damaged; none is lost, but \
                 deleted ones may come back"
                    .to_owned(),
                "released: está dañada una parte de lo que dice qué mensajes están borrados; no se \
                 pierde ninguno, pero pueden volver algunos borrados"
                    .to_owned(),
            ),
            Self::Cut {
                file,
                offset,
                bytes,
            } => (
                format!(
                    "{file} offset {offset}: {bytes} bytes were being written when the server ended; \
                     nothing of them was acknowledged"
                ),
                format!(
                    "{file} posición {offset}: se estaban escribiendo {bytes} bytes cuando terminó el \
                     servidor; nada de ellos estaba confirmado"
                ),
            ),
            Self::Sum {
                segments,
                records,
                bytes,
                lost,
            } => sum(*segments, *records, *bytes, *lost),
            Self::Encrypted {
                encrypted,
                segments,
                unread,
            } => encryption(*encrypted, *segments, *unread),
            Self::WrongKey { file } => (
                format!(
                    "the key is not the one that {} is sealed with: give a file with the right one",
                    file.display()
                ),
                format!(
                    "la clave no es la que selló {}: indica un archivo con la correcta",
                    file.display()
                ),
            ),
            Self::SalvageNeedsKey => (
                "the store is encrypted, so nothing is copied without its key: --key-file FILE".to_owned(),
                "el almacén está cifrado, así que no se copia nada sin su clave: --key-file ARCHIVO"
                    .to_owned(),
            ),
            Self::KeyFileUnreadable { path, error } => (
                format!("can't read a key in {}: {error}", path.display()),
                format!("no se puede leer una clave en {}: {error}", path.display()),
            ),
            Self::Salvaged { directory } => (
                format!(
                    "what is whole was copied to {0}; start the server with --store-dir {0}",
                    directory.display()
                ),
                format!(
                    "lo que está entero se copió a {0}; arranca el servidor con --store-dir {0}",
                    directory.display()
                ),
            ),
        }
    }
}

fn lost(stream: Option<&str>, sequence: Option<u64>, file: &str, offset: u32, bytes: u32) -> Pair {
    let (what, que) = match (stream, sequence) {
        (Some(stream), Some(sequence)) => (
            format!("stream {stream}, sequence {sequence}"),
            format!("flujo {stream}, secuencia {sequence}"),
        ),
        (Some(stream), None) => (format!("stream {stream}"), format!("flujo {stream}")),
        _ => (
            "unknown records".to_owned(),
            "registros desconocidos".to_owned(),
        ),
    };
    (
        format!("{file} offset {offset}: {what}: {bytes} bytes are damaged"),
        format!("{file} posición {offset}: {que}: {bytes} bytes dañados"),
    )
}

fn encryption(encrypted: u32, segments: u32, unread: u64) -> Pair {
    let plain = segments.saturating_sub(encrypted);
    let (mut english, mut spanish) = (
        format!("encrypted: {encrypted} segments; not encrypted: {plain}"),
        format!("cifrados: {encrypted} segmentos; sin cifrar: {plain}"),
    );
    if unread > 0 {
        english.push_str(&format!(
            ". Of {unread} records only the checksums were checked: --key-file FILE names the key"
        ));
        spanish.push_str(&format!(
            ". De {unread} registros solo se han comprobado las sumas: --key-file ARCHIVO indica la clave"
        ));
    }
    (english, spanish)
}

fn sum(segments: u32, records: u64, bytes: u64, lost: u64) -> Pair {
    if lost == 0 {
        return (
            format!("whole: {records} records, {bytes} bytes, {segments} segments"),
            format!("entero: {records} registros, {bytes} bytes, {segments} segmentos"),
        );
    }
    (
        format!(
            "DAMAGED: {lost} places; {records} records are whole ({bytes} bytes, {segments} segments). \
             The server starts with them; --salvage NEW copies them to a new store"
        ),
        format!(
            "DAÑADO: {lost} lugares; {records} registros están enteros ({bytes} bytes, {segments} \
             segmentos). El servidor arranca con ellos; --salvage NUEVO los copia a un almacén nuevo"
        ),
    )
}
