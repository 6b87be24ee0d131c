//! The top-level settings, one by one.

use std::path::PathBuf;
use std::time::Duration;

use super::draft::{Draft, Placed};
use super::field::Field;
use super::known::{Form, Key, nearest_word};
use super::listen::{read_listen, read_plain, read_port};
use super::websocket::texts;
use super::{
    Findings, accounts, authorization, domains, mappings, monitoring, mqtt, ocsp, operator,
    proxies, streams, tls, websocket,
};
use crate::config::fault::Fault;
use crate::config::features;
use crate::config::locale::Lang;
use crate::config::messages::KeyProblem;
use crate::config::options::{LogFormat, Options, SyslogTarget, WriteTimeout};
use crate::config::surroundings::Surroundings;

/// Largest value of limits that the protocol's other servers keep in 32 bits.
const INT32_MAX: i64 = i32::MAX as i64;
/// Shortest `lame_duck_duration`.
const LAME_DUCK_MIN: Duration = Duration::from_secs(30);

/// What `log_format` can be.
pub(crate) const SYSLOGS: &[&str] = &["udp://HOST:PORT", "tcp://HOST:PORT", "unix:///PATH"];
pub(crate) const LOG_FORMATS: &[&str] = &["auto", "text", "json", "nats"];
/// What `write_timeout` can be.
const WRITE_TIMEOUTS: &[&str] = &["default", "close", "retry"];
/// What `lang` can be.
pub(crate) const LANGS: &[&str] = &["en", "es"];

/// Where settings go.
pub(super) struct Settings<'a> {
    pub(super) options: &'a mut Options,
    /// Users and accounts, until all of them were read.
    pub(super) draft: Draft,
    pub(super) surroundings: &'a dyn Surroundings,
    pub(super) findings: &'a mut Findings,
}

impl Settings<'_> {
    /// Sets one key.
    pub(super) fn set(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        match key {
            Key::ErrorReports => {
                super::streams::ignore(Form::Integer(0, i64::MAX), field, self.findings)
            }
            Key::Listen | Key::Host | Key::Port | Key::Plain => self.set_address(key, field),
            Key::Debug
            | Key::Trace
            | Key::TraceVerbose
            | Key::TraceHeaders
            | Key::LogTime
            | Key::LogTimeUtc
            | Key::LogFile
            | Key::Syslog
            | Key::RemoteSyslog
            | Key::LogFormat
            | Key::LogSizeLimit
            | Key::LogMaxNum
            | Key::MaxTracedMsgLen => self.set_log(key, field),
            Key::MaxConnections
            | Key::MaxControlLine
            | Key::MaxPayload
            | Key::MaxPending
            | Key::MaxSubscriptions
            | Key::MaxSubTokens
            | Key::PingMax
            | Key::WriteTimeout
            | Key::NoFastProducerStall
            | Key::DisableSublistCache
            | Key::NoHeaderSupport => self.set_limit(key, field),
            Key::PingInterval
            | Key::WriteDeadline
            | Key::LameDuckDuration
            | Key::LameDuckGracePeriod => self.set_duration(key, field),
            Key::Monitoring(key) => monitoring::set(
                key,
                field,
                &mut self.options.monitoring,
                self.surroundings,
                &mut self.findings.warnings,
            ),
            Key::Authorization
            | Key::TokenFile
            | Key::AllowAnonymous
            | Key::Accounts
            | Key::NoAuthUser
            | Key::SystemAccount
            | Key::NoSystemAccount
            | Key::Proxies
            | Key::DefaultJsDomain
            | Key::Mappings => self.set_access(key, field),
            Key::Operator(key) => operator::set(
                key,
                field,
                &mut self.draft,
                self.surroundings,
                self.findings,
            ),
            Key::Jetstream => streams::read(field, &mut self.options.streams, self.findings),
            Key::StoreDir => streams::set_store_dir(field, &mut self.options.streams),
            Key::Websocket => {
                self.options.websocket = websocket::read(field, &mut self.draft, self.findings)?;
                Ok(())
            }
            Key::Mqtt => {
                self.options.mqtt = mqtt::read(field, &mut self.draft, self.findings)?;
                Ok(())
            }
            Key::Tls => {
                self.options.tls = Some(tls::read(field, self.findings)?);
                Ok(())
            }
            Key::Ocsp => {
                self.options.ocsp = ocsp::read(field, self.findings)?;
                Ok(())
            }
            Key::OcspCache => {
                self.options.ocsp_cache = ocsp::read_cache(field, self.findings)?;
                Ok(())
            }
            Key::ServerName
            | Key::ServerTags
            | Key::ServerMetadata
            | Key::FeatureFlags
            | Key::ProfileBlockRate
            | Key::AllowNonTls
            | Key::ProxyProtocol
            | Key::ClientAdvertise
            | Key::PidFile
            | Key::PortsFileDir
            | Key::Service
            | Key::Lang => self.set_other(key, field),
        }
    }

    fn set_address(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        let personality = self.options.personality;
        match key {
            Key::Listen => {
                let (host, port) = read_listen(field, personality)?;
                // A port alone leaves the address as it is by default.
                self.options.host = host.or(Options::of(personality).host);
                self.options.port = port;
            }
            Key::Port => self.options.port = read_port(field, personality)?,
            Key::Plain => self.options.plain = read_plain(field)?,
            _ => self.options.host = Some(field.text()?.to_owned()),
        }
        Ok(())
    }

    fn set_log(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        let log = &mut self.options.log;
        match key {
            Key::Debug => log.debug = field.boolean()?,
            Key::Trace => log.trace = field.boolean()?,
            // Parts of the server speak no protocol that would be left out otherwise.
            Key::TraceVerbose => log.trace |= field.boolean()?,
            Key::TraceHeaders => {
                log.trace_headers = field.boolean()?;
                log.trace |= log.trace_headers;
            }
            Key::LogTime => log.no_time = !field.boolean()?,
            Key::LogTimeUtc => log.utc = field.boolean()?,
            Key::LogFile => log.file = Some(PathBuf::from(field.text()?)),
            Key::Syslog => log.syslog = field.boolean()?,
            Key::RemoteSyslog => {
                let word = field.text()?;
                log.remote_syslog = match word {
                    "" => None,
                    _ => Some(
                        SyslogTarget::parse(word)
                            .ok_or_else(|| field.fault(one_of(field.key, SYSLOGS, word)))?,
                    ),
                };
            }
            Key::LogFormat => {
                let word = field.text()?;
                log.format = parse_log_format(word)
                    .ok_or_else(|| field.fault(one_of(field.key, LOG_FORMATS, word)))?;
            }
            Key::LogSizeLimit => log.size_limit = field.integer(0, i64::MAX)?.unsigned_abs(),
            Key::LogMaxNum => log.max_num = field.count(i64::MAX)?.unwrap_or(0),
            _ => log.max_traced_msg_len = field.count(i64::MAX)?.unwrap_or(0),
        }
        Ok(())
    }

    fn set_limit(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        let standard = Options::default().limits;
        let limits = &mut self.options.limits;
        match key {
            Key::MaxConnections => {
                // As nats-server: 0 and less in a file admit nobody.
                let number = field.integer(-1, i64::MAX)?;
                limits.max_connections = Some(usize::try_from(number).unwrap_or(0));
                if number <= 0 {
                    let warning = field.fault(KeyProblem::NobodyAdmitted);
                    self.findings.warnings.push(warning);
                }
            }
            Key::MaxControlLine => {
                let standard = standard.max_control_line;
                limits.max_control_line = field.count(INT32_MAX)?.unwrap_or(standard);
            }
            Key::MaxPayload => {
                limits.max_payload = field.count(INT32_MAX)?.unwrap_or(standard.max_payload);
            }
            Key::MaxPending => {
                limits.max_pending = field.count(i64::MAX)?.unwrap_or(standard.max_pending);
            }
            Key::MaxSubscriptions => {
                // -1 is nats-server's other way to say unlimited.
                let number = field.integer(-1, i64::MAX)?;
                limits.max_subscriptions = usize::try_from(number).unwrap_or(0);
            }
            Key::MaxSubTokens => {
                limits.max_sub_tokens = usize::try_from(field.integer(1, 255)?).unwrap_or(0);
            }
            Key::PingMax => {
                let number = u32::try_from(field.integer(0, INT32_MAX)?).unwrap_or(0);
                limits.ping_max = if number == 0 {
                    standard.ping_max
                } else {
                    number
                };
            }
            Key::WriteTimeout => {
                let word = field.text()?;
                limits.write_timeout = WriteTimeout::from_word(word)
                    .ok_or_else(|| field.fault(one_of(field.key, WRITE_TIMEOUTS, word)))?;
            }
            Key::NoFastProducerStall => limits.no_fast_producer_stall = field.boolean()?,
            Key::DisableSublistCache => limits.disable_sublist_cache = field.boolean()?,
            _ => limits.no_header_support = field.boolean()?,
        }
        Ok(())
    }

    fn set_duration(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        let span = field.span()?;
        if let Some(seconds) = span.bare_seconds {
            let key = field.key.to_owned();
            let warning = field.fault(KeyProblem::BareDuration { key, seconds });
            self.findings.warnings.push(warning);
        }
        let standard = Options::default();
        // As nats-server: 0 stands for the default.
        let or = |standard: Duration| match span.duration.is_zero() {
            true => standard,
            false => span.duration,
        };
        let options = &mut *self.options;
        match key {
            Key::PingInterval => options.limits.ping_interval = or(standard.limits.ping_interval),
            Key::WriteDeadline => {
                options.limits.write_deadline = or(standard.limits.write_deadline);
            }
            Key::LameDuckDuration if span.duration < LAME_DUCK_MIN => {
                return Err(field.fault(KeyProblem::LameDuckTooShort(span.duration)));
            }
            Key::LameDuckDuration => options.lame_duck_duration = span.duration,
            _ => options.lame_duck_grace_period = or(standard.lame_duck_grace_period),
        }
        Ok(())
    }

    fn set_access(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        let authorization = &mut self.options.authorization;
        let name = |field: &Field<'_>| Ok(Some(Placed::at(field, field.text()?.to_owned())));
        match key {
            Key::Authorization => authorization::read(
                field,
                authorization,
                &mut self.draft,
                self.surroundings,
                self.findings,
            )?,
            Key::TokenFile => authorization::read_token_file(
                field,
                authorization,
                self.surroundings,
                &mut self.findings.warnings,
            )?,
            Key::Accounts => accounts::read(field, &mut self.draft, self.findings)?,
            Key::DefaultJsDomain => self.draft.default_domains = domains::read(field)?,
            Key::NoAuthUser => self.draft.no_auth_user = name(field)?,
            Key::SystemAccount => self.draft.system_account = name(field)?,
            Key::Proxies => self.options.trusted_proxies = proxies::read(field, self.findings)?,
            Key::NoSystemAccount => self.options.no_system_account = field.boolean()?,
            Key::Mappings => self.options.mappings = mappings::read(field, self.findings)?,
            _ => self.options.allow_anonymous = field.boolean()?,
        }
        Ok(())
    }

    /// Flags that nobody knows are told of; what a known one would turn on must be there (ADR-53).
    fn set_feature_flags(&mut self, field: &Field<'_>) -> Result<(), Fault> {
        for entry in field.map()?.entries() {
            if entry.used_as_variable {
                continue;
            }
            let inner = Field::of(entry);
            let is_on = inner.boolean()?;
            let Some(flag) = features::KNOWN.into_iter().find(|flag| *flag == inner.key) else {
                let unknown = KeyProblem::UnknownFlag {
                    flag: inner.key.to_owned(),
                    nearest: nearest_word(features::KNOWN.into_iter(), inner.key),
                };
                let warning = Fault::at(inner.key_place, unknown);
                self.findings.warnings.push(warning);
                continue;
            };
            if is_on && flag != features::LONG_ACK_SUBJECTS {
                let ignored = KeyProblem::ForSeveralServers(flag.to_owned());
                self.findings.warnings.push(inner.fault(ignored));
            }
            self.options.feature_flags.insert(flag.to_owned(), is_on);
        }
        Ok(())
    }

    fn set_other(&mut self, key: Key, field: &Field<'_>) -> Result<(), Fault> {
        let options = &mut *self.options;
        match key {
            Key::Service => options.builtin_service = field.boolean()?,
            Key::AllowNonTls => options.allow_non_tls = field.boolean()?,
            Key::ProxyProtocol => options.proxy_protocol = field.boolean()?,
            Key::ServerTags => self.options.server_tags = tags(field)?,
            Key::FeatureFlags => self.set_feature_flags(field)?,
            Key::ProfileBlockRate => {
                if field.integer(i64::MIN, i64::MAX)? != 0 {
                    let ignored = KeyProblem::NoBlockProfiles(field.key.to_owned());
                    self.findings.warnings.push(field.fault(ignored));
                }
            }
            Key::ServerMetadata => {
                self.options.server_metadata = field
                    .map()?
                    .entries()
                    .iter()
                    .map(|entry| {
                        let value = Field::of(entry).text()?.to_owned();
                        Ok((entry.key.to_string(), value))
                    })
                    .collect::<Result<_, Fault>>()?;
            }
            Key::ServerName => {
                let name = field.text()?;
                if name.contains(' ') {
                    return Err(field.fault(KeyProblem::ServerNameSpaces));
                }
                options.server_name = Some(name.to_owned());
            }
            Key::ClientAdvertise => options.client_advertise = Some(field.text()?.to_owned()),
            Key::PidFile => options.pid_file = Some(PathBuf::from(field.text()?)),
            Key::PortsFileDir => options.ports_file_dir = Some(PathBuf::from(field.text()?)),
            _ => {
                let word = field.text()?;
                options.lang = Lang::from_code(word)
                    .ok_or_else(|| field.fault(one_of(field.key, LANGS, word)))?;
            }
        }
        Ok(())
    }
}

/// The format that a word names.
pub(crate) fn parse_log_format(word: &str) -> Option<LogFormat> {
    match word.to_lowercase().as_str() {
        "auto" => Some(LogFormat::Auto),
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        "nats" => Some(LogFormat::Nats),
        _ => None,
    }
}

/// A word that is none of those that can be chosen.
pub(crate) fn one_of(key: &str, choices: &'static [&'static str], found: &str) -> KeyProblem {
    KeyProblem::OneOf {
        key: key.to_owned(),
        choices,
        found: found.to_owned(),
    }
}

/// Words in lower case, each once.
fn tags(field: &Field<'_>) -> Result<Vec<String>, Fault> {
    let mut tags: Vec<String> = Vec::new();
    for word in texts(field)? {
        let tag = word.trim().to_lowercase();
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}
