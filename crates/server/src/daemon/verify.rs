//! `verify`: checks a store that no server uses, and never changes it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use recado_log::{
    Finding, OpenError, RealDisk, SalvageError, Secret, Settings, Verified, salvage, segment_name,
    verify_records,
};
use recado_streams::stream_name_of;
use serde_json::{Value, json};

use super::messages::VerifyText;
use super::progress::Observed;
use crate::config::Lang;
use crate::config::flags::Verify;

/// Damage was found.
const DAMAGED: u8 = 1;
/// Bytes of a file with a key.
const KEY_FILE_BYTES_MAX: u64 = 4096;
/// The store could not be read.
const UNREADABLE: u8 = 3;

/// Checks the store, reports, and says how it went. `program` is the file name that it was called by.
pub fn run(options: &Verify, program: &str, lang: Lang) -> ExitCode {
    let mut report = Report {
        json: options.json,
        lang,
        names: BTreeMap::new(),
        findings: Vec::new(),
    };
    match check(options, &mut report) {
        Ok(verified) => {
            report.close(options, &verified);
            match verified.lost {
                0 => ExitCode::SUCCESS,
                _ => ExitCode::from(DAMAGED),
            }
        }
        Err(why) => {
            // Whether anybody reads this can't be helped.
            let _ = writeln!(io::stderr(), "{program}: {}", why.text(lang));
            ExitCode::from(UNREADABLE)
        }
    }
}

fn check(options: &Verify, report: &mut Report) -> Result<Verified, VerifyText> {
    let unreadable = |error: &dyn std::fmt::Display| VerifyText::Unreadable {
        directory: options.directory.clone(),
        error: error.to_string(),
    };
    if !options.directory.is_dir() {
        return Err(unreadable(&"there is no such directory"));
    }
    let key = options.key_file.as_deref().map(read_key).transpose()?;
    let disk = RealDisk::new(&options.directory).map_err(|error| unreadable(&error))?;
    let observed = |doing: VerifyText| {
        let name = doing.text(report.lang);
        Observed::new(&disk, name, !options.json).map_err(|error| unreadable(&error))
    };
    let checking = observed(VerifyText::Checking)?;
    let (names, findings) = (&mut report.names, &mut report.findings);
    let verified = verify_records(
        &checking,
        key.as_ref(),
        &mut |finding| findings.push(finding),
        &mut |record| {
            if let Some(name) = stream_name_of(record) {
                names.insert(record.stream, name);
            }
        },
    )
    .map_err(|error| match error {
        OpenError::WrongKey { file } => VerifyText::WrongKey {
            file: options.directory.join(file),
        },
        error => unreadable(&error),
    })?;
    checking.done();
    let Some(new) = &options.salvage else {
        return Ok(verified);
    };
    let not_salvaged = |error: &dyn std::fmt::Display| VerifyText::NotSalvaged {
        directory: new.clone(),
        error: error.to_string(),
    };
    if verified.unread > 0 {
        return Err(VerifyText::SalvageNeedsKey);
    }
    std::fs::create_dir_all(new).map_err(|error| not_salvaged(&error))?;
    let target = RealDisk::new(new).map_err(|error| not_salvaged(&error))?;
    let settings = Settings {
        salt: rand::random(),
        ..Settings::default()
    };
    let copying = observed(VerifyText::Copying)?;
    // What is damaged was found a moment ago.
    let from = (&copying, key.as_ref());
    salvage(from, target, settings, &mut |_| ()).map_err(|error| match error {
        SalvageError::Open(OpenError::KeyNeeded { .. }) => VerifyText::SalvageNeedsKey,
        error => not_salvaged(&error),
    })?;
    copying.done();
    Ok(verified)
}

/// The key in a file: all of it but the end of its last line.
fn read_key(path: &Path) -> Result<Secret, VerifyText> {
    let unreadable = |error: String| VerifyText::KeyFileUnreadable {
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::with_capacity(KEY_FILE_BYTES_MAX as usize + 1);
    file.take(KEY_FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    while bytes.last().is_some_and(|last| b"\r\n".contains(last)) {
        bytes.pop();
    }
    match bytes.len() as u64 {
        0 => Err(unreadable("it is empty".to_owned())),
        length if length > KEY_FILE_BYTES_MAX => Err(unreadable(format!(
            "longer than {KEY_FILE_BYTES_MAX} bytes"
        ))),
        _ => Ok(Secret::new(bytes)),
    }
}

/// Where findings go: lines for people, or one JSON object at the end.
struct Report {
    json: bool,
    lang: Lang,
    names: BTreeMap<u32, String>,
    findings: Vec<Finding>,
}

impl Report {
    /// A finding in words, and as data.
    fn told(&self, finding: Finding) -> (VerifyText, Value) {
        let file = segment_name;
        let name = |stream: Option<u32>| {
            let stream = stream?;
            let known = self.names.get(&stream).cloned();
            Some(known.unwrap_or_else(|| format!("number {stream}")))
        };
        match finding {
            Finding::Lost(lost) => {
                let stream = name(lost.stream);
                let value = json!({
                    "finding": "lost", "stream": stream, "sequence": lost.sequence,
                    "file": file(lost.segment), "offset": lost.offset, "bytes": lost.bytes,
                    "why": lost.why.to_string(),
                });
                let text = VerifyText::Lost {
                    stream,
                    sequence: lost.sequence,
                    file: file(lost.segment),
                    offset: lost.offset,
                    bytes: lost.bytes,
                };
                (text, value)
            }
            Finding::Header { segment } => harmless(file(segment), "header"),
            Finding::Footer { segment } => harmless(file(segment), "footer"),
            Finding::Released => (
                VerifyText::Released,
                json!({"finding": "released", "file": "released"}),
            ),
            Finding::Cut(cut) => {
                let value = json!({
                    "finding": "cut", "file": file(cut.segment), "offset": cut.offset,
                    "bytes": cut.bytes,
                });
                let text = VerifyText::Cut {
                    file: file(cut.segment),
                    offset: cut.offset,
                    bytes: cut.bytes,
                };
                (text, value)
            }
        }
    }

    fn close(self, options: &Verify, verified: &Verified) {
        let told = self.findings.iter().map(|finding| self.told(*finding));
        if self.json {
            let findings: Vec<Value> = told.map(|(_, value)| value).collect();
            let report = json!({
                "directory": options.directory, "segments": verified.segments,
                "records": verified.records, "bytes": verified.bytes, "lost": verified.lost,
                "findings": findings, "salvaged_to": options.salvage,
                "encrypted_segments": verified.encrypted, "unread": verified.unread,
            });
            return say(&report.to_string());
        }
        for (text, _) in told {
            say(&text.text(self.lang));
        }
        let sum = VerifyText::Sum {
            segments: verified.segments,
            records: verified.records,
            bytes: verified.bytes,
            lost: verified.lost,
        };
        say(&sum.text(self.lang));
        if verified.encrypted > 0 {
            let encrypted = VerifyText::Encrypted {
                encrypted: verified.encrypted,
                segments: verified.segments,
                unread: verified.unread,
            };
            say(&encrypted.text(self.lang));
        }
        if let Some(directory) = &options.salvage {
            let salvaged = VerifyText::Salvaged {
                directory: directory.clone(),
            };
            say(&salvaged.text(self.lang));
        }
    }
}

fn harmless(file: String, part: &'static str) -> (VerifyText, Value) {
    let value = json!({"finding": part, "file": file});
    (VerifyText::Harmless { file, part }, value)
}

fn say(line: &str) {
    // A pipe that nobody reads any more is no reason to fail: the status says how it went.
    let _ = writeln!(io::stdout(), "{line}");
}
