//! `explain-config [FILE] [--json]`, behind the flags of a server: what would hold, and where it came from.

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::arguments::{Flaglike, Given, read_flag};
use super::table::{Flag, Meaning};
use crate::config::fault::Fault;
use crate::config::keys::{Override, Row, Shown, Source, nearest_word, rows};
use crate::config::lang::{self, Map};
use crate::config::locale::Lang;
use crate::config::messages::{FlagProblem, shown_text, source_text};
use crate::config::options::Options;
use crate::config::surroundings::Surroundings;
use crate::visible::visible;

/// What follows the word.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) file: Option<PathBuf>,
    pub(super) json: bool,
}

/// All settings of a server, to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// The file's digest.
    pub digest: Option<String>,
    /// The settings.
    pub rows: Vec<Row>,
    /// Show them to a program, as JSON.
    pub json: bool,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Fault>,
}

/// Reads what follows the word.
pub(super) fn read(words: &[OsString]) -> Result<Asked, Box<Fault>> {
    let fault = |problem| Box::new(Fault::anywhere(problem));
    let mut asked = Asked::default();
    let mut only_words = false;
    for word in words {
        match read_flag(word) {
            Flaglike::End if !only_words => only_words = true,
            Flaglike::Named {
                name, value: None, ..
            } if !only_words && name == "json" => asked.json = true,
            Flaglike::Named { written, name, .. } if !only_words => {
                let nearest = nearest_word(["json"].into_iter(), &name);
                return Err(fault(FlagProblem::UnknownFlag {
                    flag: written,
                    nearest: nearest.map(|name| format!("--{name}")),
                }));
            }
            _ if asked.file.is_some() || word.is_empty() => {
                return Err(fault(FlagProblem::ExplainWords));
            }
            _ => asked.file = Some(PathBuf::from(word)),
        }
    }
    Ok(asked)
}

/// The rows of a server with these options, which flags, file and environment made.
pub(super) fn explain(
    options: &Options,
    config: Option<&PathBuf>,
    flags: &[Given],
    surroundings: &dyn Surroundings,
) -> Result<Vec<Row>, Box<Fault>> {
    let file = match config {
        Some(path) => lang::parse_file(path, surroundings)?.map,
        None => Map::default(),
    };
    let mut overrides = Vec::new();
    if options.streams.store_dir_is_default
        && let Some(variable) = decides(["STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"], surroundings)
    {
        overrides.push(of_environment("jetstream.store_dir", variable));
    }
    let says_lang = |entry: &lang::Entry| entry.key.eq_ignore_ascii_case("lang");
    if !file.entries().iter().any(says_lang)
        && let Some(variable) = decides(["LC_ALL", "LC_MESSAGES", "LANG"], surroundings)
    {
        overrides.push(of_environment("lang", variable));
    }
    for given in flags {
        let Meaning::Is(flag) = given.meaning else {
            continue;
        };
        let value = given.value.to_string_lossy().into_owned();
        overrides.extend(settings_of(flag).iter().map(|setting| Override {
            setting,
            source: Source::Flag(given.written.clone()),
            given: Shown::Text(value.clone()),
        }));
    }
    Ok(rows(options, &file, &overrides))
}

/// The first of these variables that is set.
fn decides(names: [&'static str; 3], surroundings: &dyn Surroundings) -> Option<&'static str> {
    let is_set = |name: &&str| {
        surroundings
            .variable(name)
            .is_some_and(|value| !value.is_empty())
    };
    names.into_iter().find(is_set)
}

fn of_environment(setting: &'static str, variable: &str) -> Override {
    let source = Source::Environment(variable.to_owned());
    Override {
        setting,
        source,
        given: Shown::Text(String::new()),
    }
}

/// What a flag sets, by the settings' names.
fn settings_of(flag: Flag) -> &'static [&'static str] {
    match flag {
        Flag::Addr => &["host"],
        Flag::Port => &["port"],
        Flag::ServerName => &["server_name"],
        Flag::ClientAdvertise => &["client_advertise"],
        Flag::Plain => &["plain"],
        Flag::HttpPort => &["http"],
        Flag::HttpsPort => &["https"],
        Flag::Profile => &["prof_port"],
        Flag::TokenFile => &["authorization.token", "authorization.token_file"],
        Flag::Auth => &["authorization.token"],
        Flag::User => &["authorization.user"],
        Flag::Pass => &["authorization.password"],
        Flag::AllowAnonymous => &["allow_anonymous"],
        Flag::Jetstream | Flag::NoStreams => &["jetstream.enabled"],
        Flag::StoreDir => &["jetstream.store_dir"],
        Flag::NoService => &["service"],
        Flag::Pid => &["pid_file"],
        Flag::PortsFileDir => &["ports_file_dir"],
        Flag::Log => &["log_file"],
        Flag::Syslog => &["syslog"],
        Flag::RemoteSyslog => &["remote_syslog"],
        Flag::LogFormat => &["log_format"],
        Flag::LogSizeLimit => &["log_size_limit"],
        Flag::LogTime => &["logtime"],
        Flag::LogTimeUtc => &["logtime_utc"],
        Flag::MaxTracedMsgLen => &["max_traced_msg_len"],
        Flag::Debug => &["debug"],
        Flag::Trace => &["trace"],
        Flag::DebugTrace => &["debug", "trace"],
        Flag::Lang => &["lang"],
        Flag::Tls => &["tls"],
        Flag::TlsCert => &["tls.cert_file"],
        Flag::TlsKey => &["tls.key_file"],
        Flag::TlsCaCert => &["tls.ca_file"],
        Flag::TlsVerify => &["tls.verify"],
        // They set nothing.
        Flag::Check | Flag::Config | Flag::Help | Flag::HelpTls | Flag::Signal | Flag::Version => {
            &[]
        }
    }
}

impl Explained {
    /// For standard output.
    pub fn text(&self, lang: Lang) -> String {
        if self.json {
            return format!("{}\n", self.as_json());
        }
        let rows: Vec<[String; 3]> = self
            .rows
            .iter()
            .map(|row| {
                [
                    visible(&row.setting),
                    visible(&shown_text(&row.value, lang)),
                    visible(&source_text(&row.source, lang)),
                ]
            })
            .collect();
        // What is longer than that is not what the rest is lined up by.
        const WIDTH_MAX: usize = 40;
        let width = |column: usize| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths
                .filter(|width| *width <= WIDTH_MAX)
                .max()
                .unwrap_or(0)
        };
        let (first, second) = (width(0), width(1));
        rows.iter()
            .map(|[setting, value, source]| {
                format!("{setting:first$}  {value:second$}  {source}\n")
            })
            .collect()
    }

    fn as_json(&self) -> Value {
        let settings: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "setting": row.setting,
                    "value": value_json(&row.value),
                    "secret": row.value == Shown::Secret,
                    "source": source_json(&row.source),
                })
            })
            .collect();
        json!({ "config": self.config, "digest": self.digest, "settings": settings })
    }
}

/// Bytes as a number, times in seconds; null for secrets and for what nobody said anything of.
fn value_json(value: &Shown) -> Value {
    match value {
        Shown::Text(text) => json!(text),
        Shown::Bool(value) => json!(value),
        Shown::Count(number) | Shown::Bytes(number) => json!(number),
        Shown::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            json!(*number as i64)
        }
        Shown::Number(number) => json!(number),
        Shown::Time(time) => json!(time.as_secs_f64()),
        Shown::Secret | Shown::Unset(_) => Value::Null,
    }
}

fn source_json(source: &Source) -> Value {
    match source {
        Source::Default => json!({ "from": "default" }),
        Source::File(place) => json!({
            "from": "file", "file": &*place.file, "line": place.line, "column": place.column,
        }),
        Source::Variable { used, name, set } => json!({
            "from": "variable", "variable": name,
            "file": &*used.file, "line": used.line, "column": used.column,
            "set": set.as_ref().map(|set| json!({
                "file": &*set.file, "line": set.line, "column": set.column,
            })),
        }),
        Source::Flag(flag) => json!({ "from": "flag", "flag": flag }),
        Source::Environment(name) => json!({ "from": "environment", "variable": name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::flags::{Invocation, read_command_line};
    use crate::config::surroundings::Imagined;

    const FILE: &str = "\
max_payload: 2MiB
listen: \"127.0.0.1:5222\"
authorization {
    token: $TOKEN
    timeout: 5
}
jetstream {
    Store: \"/data\"
    limits { batch { max_msgs: 10 } }
}
plain { port: 7, subject: lines }
syslog: false
";

    fn explained(arguments: &[&str]) -> Explained {
        let surroundings = Imagined::default()
            .file("s.conf", FILE)
            .variable("TOKEN", "open-sesame")
            .variable("LANG", "es_ES.UTF-8");
        let arguments = ["recado-server"]
            .iter()
            .chain(arguments)
            .map(OsString::from);
        match read_command_line(arguments, &surroundings).map(|line| line.invocation) {
            Ok(Invocation::Explain(explained)) => explained,
            other => panic!("{other:?}"),
        }
    }

    /// Value and source of a setting, as they are shown.
    fn told(explained: &Explained, setting: &str) -> (String, String) {
        let rows: Vec<&Row> = (explained.rows.iter())
            .filter(|row| row.setting == setting)
            .collect();
        assert_eq!(rows.len(), 1, "{setting}: {:#?}", explained.rows);
        (
            shown_text(&rows[0].value, Lang::En),
            source_text(&rows[0].source, Lang::En),
        )
    }

    #[test]
    fn each_value_is_told_with_where_it_came_from() {
        let explained = explained(&["-p", "4333", "--no-service", "explain-config", "s.conf"]);
        for (setting, value, source) in [
            ("max_payload", "2MiB", "s.conf:1:1"),
            ("max_pending", "64MiB", "default"),
            ("host", "127.0.0.1", "s.conf:2:1"),
            ("port", "4333", "-p"),
            ("service", "false", "--no-service"),
            (
                "authorization.token",
                "(secret)",
                "s.conf:4:12, $TOKEN of the environment",
            ),
            ("authorization.timeout", "5s", "s.conf:5:5"),
            ("authorization.user", "(none)", "default"),
            ("jetstream.enabled", "true", "s.conf:7:1"),
            ("jetstream.store_dir", "/data", "s.conf:8:5"),
            ("jetstream.limits.batch.max_msgs", "10", "s.conf:9:22"),
            (
                "jetstream.max_file_store",
                "(three quarters of what there is)",
                "default",
            ),
            ("plain.port", "7", "s.conf:11:9"),
            ("plain.subject", "lines", "s.conf:11:18"),
            ("syslog", "false", "s.conf:12:1"),
            ("lang", "es", "$LANG"),
            ("tls", "(none)", "default"),
        ] {
            let expected = (value.to_owned(), source.to_owned());
            assert_eq!(told(&explained, setting), expected, "{setting}");
        }
    }

    #[test]
    fn without_a_file_there_are_defaults_flags_and_the_environment() {
        let explained = explained(&["--auth", "s3cret", "explain-config", "--json"]);
        assert_eq!(
            told(&explained, "jetstream.store_dir"),
            (
                "/home/ana/.local/state/recado".to_owned(),
                "$HOME".to_owned()
            )
        );
        assert_eq!(
            told(&explained, "authorization.token"),
            ("(secret)".to_owned(), "--auth".to_owned())
        );
        assert_eq!(told(&explained, "host").0, "0.0.0.0");
        let told = explained.text(Lang::En);
        assert!(!told.contains("s3cret"), "{told}");
        let json: Value = serde_json::from_str(&told).unwrap();
        let settings = json["settings"].as_array().unwrap();
        assert!(settings.len() > 50, "{}", settings.len());
        let port = settings
            .iter()
            .find(|row| row["setting"] == "port")
            .unwrap();
        assert_eq!(port["value"], 4222);
        assert_eq!(port["source"]["from"], "default");
    }

    const BLOCKS: &str = "\
LIMIT: 7
PW: $TOKEN
SHORT: 500ms
tls { cert_file: c.pem, key_file: k.pem, TIMEOUT: 5 }
websocket { port: 8443, no_tls: yes, handshake_timeout: $SHORT }
accounts {
  SHOP {
    users: [{username: ana, password: $PW}, {nkey: UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4}]
    limits { max_conn: $LIMIT }
    exports: [{service: ask, response_threshold: '1m'}, {stream: news}]
    imports: [{service: {account: STOCK, subject: count}}]
    jetstream { max_streams: 3 }
  }
  STOCK { exports: [{service: count}] }
}
";

    #[test]
    fn blocks_are_told_with_the_defaults_inside_and_variables_with_where_they_are_set() {
        let surroundings = Imagined::default()
            .file("s.conf", BLOCKS)
            .variable("TOKEN", "open-sesame");
        let arguments = [
            "recado-server",
            "--tlskey",
            "other.pem",
            "explain-config",
            "s.conf",
        ];
        let read = read_command_line(arguments.map(OsString::from), &surroundings);
        let explained = match read.map(|line| line.invocation) {
            Ok(Invocation::Explain(explained)) => explained,
            other => panic!("{other:?}"),
        };
        let user = "accounts.SHOP.users[0]";
        for (setting, value, source) in [
            ("tls.cert_file", "c.pem", "s.conf:4:7"),
            ("tls.key_file", "other.pem", "--tlskey"),
            ("tls.timeout", "5s", "s.conf:4:42"),
            ("tls.min_version", "1.2", "default"),
            ("tls.verify", "false", "default"),
            (
                "websocket.handshake_timeout",
                "500ms",
                "s.conf:5:57, $SHORT set at s.conf:3:1",
            ),
            ("websocket.same_origin", "false", "default"),
            ("websocket.ping_interval", "(as ping_interval)", "default"),
            ("websocket.tls", "(none)", "default"),
            (
                &format!("{user}.password"),
                "(secret)",
                "s.conf:8:39, $TOKEN of the environment",
            ),
            (
                &format!("{user}.permissions"),
                "(as default_permissions)",
                "default",
            ),
            (&format!("{user}.proxy_required"), "false", "default"),
            (
                "accounts.SHOP.limits.max_connections",
                "7",
                "s.conf:9:24, $LIMIT set at s.conf:1:1",
            ),
            ("accounts.SHOP.limits.max_payload", "(any)", "default"),
            (
                "accounts.SHOP.exports[0].response_type",
                "Singleton",
                "default",
            ),
            (
                "accounts.SHOP.imports[0].service.account",
                "STOCK",
                "s.conf:11:26",
            ),
            ("accounts.SHOP.imports[0].share", "false", "default"),
            ("accounts.SHOP.jetstream.max_streams", "3", "s.conf:12:17"),
            ("accounts.SHOP.jetstream.max_store", "(any)", "default"),
            ("accounts.STOCK.jetstream", "(none)", "default"),
        ] {
            let expected = (value.to_owned(), source.to_owned());
            assert_eq!(told(&explained, setting), expected, "{setting}");
        }
        let is_there = |setting: &str| explained.rows.iter().any(|row| row.setting == setting);
        assert!(
            !is_there("accounts.SHOP.users[1].password"),
            "it has an nkey"
        );
        assert!(
            !is_there("accounts.SHOP.exports[1].response_type"),
            "it is a stream"
        );
        for lang in [Lang::En, Lang::Es] {
            let text = explained.text(lang);
            assert!(!text.contains("open-sesame"), "{text}");
        }
    }

    #[test]
    fn no_secret_is_shown_whoever_says_it_and_in_whichever_form() {
        for arguments in [
            &["explain-config", "s.conf"][..],
            &["-c", "s.conf", "explain-config", "--json"],
            &["--user", "ana", "--pass", "open-sesame", "explain-config"],
            &["--lang", "es", "--auth", "open-sesame", "explain-config"],
        ] {
            let explained = explained(arguments);
            for lang in [Lang::En, Lang::Es] {
                let text = explained.text(lang);
                assert!(!text.contains("open-sesame"), "{text}");
            }
        }
    }
}
