//! The settings that flags make, over those of the file.

use std::path::{Path, PathBuf};

use super::arguments::Given;
use super::table::{Flag, Meaning};
use crate::config::fault::Fault;
use crate::config::keys::{
    Findings, LANGS, LOG_FORMATS, SYSLOGS, one_of, parse_log_format, parse_plain, parse_port,
};
use crate::config::lang::parse_size;
use crate::config::locale::Lang;
use crate::config::messages::{FlagProblem, KeyProblem, Message, TransportProblem};
use crate::config::options::{Authorization, Options, Personality, SyslogTarget};
use crate::config::surroundings::Surroundings;
use crate::config::tls::{CertificateFiles, ClientCertificates};
use crate::config::token;

/// The configuration file that was named last; an empty name is none, as for nats-server.
pub(super) fn config_file(flags: &[Given]) -> Option<PathBuf> {
    flags
        .iter()
        .rfind(|given| given.meaning == Meaning::Is(Flag::Config))
        .filter(|given| !given.value.is_empty())
        .map(|given| PathBuf::from(&given.value))
}

/// Puts what flags say into `options`.
pub(super) fn apply(
    flags: &[Given],
    options: &mut Options,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) {
    let has = |flag| flags.iter().any(|given| given.meaning == Meaning::Is(flag));
    if has(Flag::Auth) && has(Flag::TokenFile) {
        findings
            .errors
            .push(Fault::anywhere(KeyProblem::TokenTwice));
    }
    if flags.iter().any(is_credential) {
        // A credential on the command line takes the place of the file's, whatever its kind.
        options.authorization = Authorization {
            timeout: options.authorization.timeout,
            ..Authorization::default()
        };
    }
    if has(Flag::Plain) {
        options.plain.clear();
    }
    for given in flags {
        let result = match given.meaning {
            Meaning::Is(flag) => set(flag, given, options, surroundings, findings),
            Meaning::SwitchNotYet(feature) => match boolean(given) {
                Ok(false) => Ok(()),
                Ok(true) => Err(not_yet(given, feature)),
                Err(problem) => Err(problem),
            },
            // A port of 0 and an empty name are nats-server's ways to leave something off.
            Meaning::ValueNotYet(_) if given.value.is_empty() || given.value == "0" => Ok(()),
            Meaning::ValueNotYet(feature) => Err(not_yet(given, feature)),
        };
        findings.errors.extend(result.err().map(Fault::anywhere));
    }
    if tls_turned_off(flags) && options.tls.take().is_some() {
        let warning = KeyProblem::from(TransportProblem::TlsOff);
        findings.warnings.push(Fault::anywhere(warning));
    }
}

/// `--tls=false` goes over all else that is said of TLS.
fn tls_turned_off(flags: &[Given]) -> bool {
    let last = |given: &&Given| given.meaning == Meaning::Is(Flag::Tls);
    flags
        .iter()
        .rfind(last)
        .is_some_and(|given| boolean(given) == Ok(false))
}

/// One of the flags of TLS. What the file says stays, but for what a flag says; a certificate takes
/// the place of all that the file names.
fn set_tls(flag: Flag, given: &Given, options: &mut Options) -> Result<(), Message> {
    let tls = options.tls.get_or_insert_default();
    let mut certificate = |set: fn(&mut CertificateFiles, PathBuf)| {
        let Some(path) = path(given) else { return };
        tls.certificates.truncate(1);
        if tls.certificates.is_empty() {
            tls.certificates.push(CertificateFiles::default());
        }
        tls.certificates
            .iter_mut()
            .for_each(|files| set(files, path.clone()));
    };
    match flag {
        Flag::TlsCert => certificate(|files, path| files.cert_file = path),
        Flag::TlsKey => certificate(|files, path| files.key_file = path),
        Flag::TlsCaCert => tls.ca_file = path(given).or(tls.ca_file.take()),
        Flag::TlsVerify => {
            tls.client_certificates = match (boolean(given)?, tls.client_certificates) {
                (true, ClientCertificates::Mapped) => ClientCertificates::Mapped,
                (true, _) => ClientCertificates::Verified,
                (false, _) => ClientCertificates::NotAsked,
            };
        }
        _ => {
            boolean(given)?;
        }
    }
    Ok(())
}

fn not_yet(given: &Given, feature: crate::config::messages::Feature) -> Message {
    let flag = given.written.clone();
    FlagProblem::NotYet { flag, feature }.into()
}

fn is_credential(given: &Given) -> bool {
    matches!(
        given.meaning,
        Meaning::Is(Flag::Auth | Flag::User | Flag::Pass | Flag::TokenFile)
    )
}

fn set(
    flag: Flag,
    given: &Given,
    options: &mut Options,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Message> {
    match flag {
        Flag::Addr => {
            if let Some(host) = name(given)? {
                options.host = Some(host);
            }
        }
        Flag::Port => options.port = port(given, options.personality)?,
        Flag::HttpPort => options.monitoring.port = monitoring_port(given)?,
        Flag::Profile => options.monitoring.profile_port = monitoring_port(given)?,
        Flag::HttpsPort => options.monitoring.https_port = monitoring_port(given)?,
        Flag::ServerName => options.server_name = name(given)?.or(options.server_name.take()),
        Flag::ClientAdvertise => {
            options.client_advertise = name(given)?.or(options.client_advertise.take());
        }
        Flag::Pid => options.pid_file = path(given).or(options.pid_file.take()),
        Flag::PortsFileDir => {
            options.ports_file_dir = path(given).or(options.ports_file_dir.take())
        }
        Flag::AllowAnonymous => options.allow_anonymous = boolean(given)?,
        Flag::NoService => options.builtin_service = !boolean(given)?,
        Flag::Jetstream => options.streams.enabled = boolean(given)?,
        Flag::NoStreams => options.streams.enabled = !boolean(given)?,
        Flag::StoreDir => {
            options.streams.store_dir = path(given).or(options.streams.store_dir.take());
        }
        Flag::Plain => options.plain.push(parse_plain(text(given)?)?),
        Flag::Auth | Flag::User | Flag::Pass | Flag::TokenFile => {
            set_credential(flag, given, options, surroundings, findings)?;
        }
        Flag::Lang => {
            let word = text(given)?;
            options.lang =
                Lang::from_code(word).ok_or_else(|| one_of(&given.written, LANGS, word))?;
        }
        Flag::Tls | Flag::TlsCert | Flag::TlsKey | Flag::TlsCaCert | Flag::TlsVerify => {
            set_tls(flag, given, options)?;
        }
        Flag::Check | Flag::Help | Flag::HelpTls | Flag::Version => {
            boolean(given)?;
        }
        // Read before the settings.
        Flag::Config | Flag::Signal => {}
        Flag::Log
        | Flag::Syslog
        | Flag::RemoteSyslog
        | Flag::LogFormat
        | Flag::LogSizeLimit
        | Flag::LogTime
        | Flag::LogTimeUtc
        | Flag::MaxTracedMsgLen
        | Flag::Debug
        | Flag::Trace
        | Flag::DebugTrace => set_log(flag, given, options)?,
    }
    Ok(())
}

fn set_log(flag: Flag, given: &Given, options: &mut Options) -> Result<(), Message> {
    let log = &mut options.log;
    match flag {
        Flag::Log => log.file = path(given).or(log.file.take()),
        Flag::Syslog => log.syslog = boolean(given)?,
        Flag::RemoteSyslog => {
            let word = text(given)?;
            log.remote_syslog = Some(
                SyslogTarget::parse(word).ok_or_else(|| one_of(&given.written, SYSLOGS, word))?,
            );
        }
        Flag::LogFormat => {
            let word = text(given)?;
            log.format =
                parse_log_format(word).ok_or_else(|| one_of(&given.written, LOG_FORMATS, word))?;
        }
        Flag::LogSizeLimit => log.size_limit = size(given)?,
        Flag::MaxTracedMsgLen => {
            log.max_traced_msg_len = usize::try_from(size(given)?).unwrap_or(usize::MAX);
        }
        Flag::LogTime => log.no_time = !boolean(given)?,
        Flag::LogTimeUtc => log.utc = boolean(given)?,
        Flag::Debug => log.debug = boolean(given)?,
        Flag::DebugTrace => {
            log.debug = boolean(given)?;
            log.trace = log.debug;
        }
        _ => log.trace = boolean(given)?,
    }
    Ok(())
}

fn set_credential(
    flag: Flag,
    given: &Given,
    options: &mut Options,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Message> {
    // An empty one is most likely a variable that was not set: nobody means an open server by it.
    if given.value.is_empty() {
        return Err(KeyProblem::Empty(given.written.clone()).into());
    }
    let authorization = &mut options.authorization;
    match flag {
        Flag::User => authorization.user = Some(text(given)?.to_owned()),
        Flag::Pass => authorization.password = Some(text(given)?.to_owned()),
        Flag::Auth => authorization.token = Some(text(given)?.to_owned()),
        _ => {
            let (token, warning) = token::read(Path::new(&given.value), surroundings)?;
            findings.warnings.extend(warning.map(Fault::anywhere));
            authorization.token = Some(token);
            authorization.token_file = Some(PathBuf::from(&given.value));
        }
    }
    if options.personality == Personality::Recado && matches!(flag, Flag::Auth | Flag::Pass) {
        let problem = FlagProblem::SecretOnCommandLine(given.written.clone());
        findings.warnings.push(Fault::anywhere(problem));
    }
    Ok(())
}

fn text(given: &Given) -> Result<&str, Message> {
    given
        .value
        .to_str()
        .ok_or_else(|| FlagProblem::NotText(given.written.clone()).into())
}

/// A name; an empty one is none, as for nats-server.
fn name(given: &Given) -> Result<Option<String>, Message> {
    text(given).map(|name| Some(name.to_owned()).filter(|name| !name.is_empty()))
}

/// A path; an empty one is none, as for nats-server.
fn path(given: &Given) -> Option<PathBuf> {
    Some(PathBuf::from(&given.value)).filter(|path| !path.as_os_str().is_empty())
}

fn boolean(given: &Given) -> Result<bool, Message> {
    let value = text(given)?;
    parse_bool(value).ok_or_else(|| {
        FlagProblem::NotBoolean {
            flag: given.written.clone(),
            value: value.to_owned(),
        }
        .into()
    })
}

/// `true` and `false` in all the ways that Go's flags take.
pub(super) fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn port(given: &Given, personality: Personality) -> Result<u16, Message> {
    let value = text(given)?;
    let number = value.parse::<i64>().map_err(|_| FlagProblem::NotInteger {
        flag: given.written.clone(),
        value: value.to_owned(),
    })?;
    parse_port(number, personality).ok_or_else(|| KeyProblem::BadPort(value.to_owned()).into())
}

/// As in files: -1 is a free one, and 0 says that there is none.
fn monitoring_port(given: &Given) -> Result<Option<u16>, Message> {
    let off = text(given)? == "0";
    let port = port(given, Personality::Recado)?;
    Ok((!off).then_some(port))
}

fn size(given: &Given) -> Result<u64, Message> {
    let value = text(given)?;
    parse_size(value)
        .and_then(|size| u64::try_from(size).ok())
        .ok_or_else(|| {
            FlagProblem::NotSize {
                flag: given.written.clone(),
                value: value.to_owned(),
            }
            .into()
        })
}
