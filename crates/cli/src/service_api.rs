//! The agreements of NATS services (ADR-32) that both sides must know: where a service is asked
//! about itself, and the headers by which an answer says that it is an error.

use async_nats::HeaderMap;

/// The header with an error's description.
pub(crate) const ERROR: &str = "Nats-Service-Error";
/// The header with an error's number.
pub(crate) const ERROR_CODE: &str = "Nats-Service-Error-Code";
/// What all subjects of discovery begin with.
pub(crate) const PREFIX: &str = "$SRV.";

/// What a service can be asked about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Whether it is there.
    Ping,
    /// What it is and where it answers.
    Info,
    /// What it has done.
    Stats,
}

impl Verb {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Ping, Self::Info, Self::Stats];

    /// The subject: to all services, to those of a name, or to one instance.
    pub(crate) fn subject(self, name: Option<&str>, id: Option<&str>) -> String {
        let verb = match self {
            Self::Ping => "PING",
            Self::Info => "INFO",
            Self::Stats => "STATS",
        };
        let mut subject = format!("{PREFIX}{verb}");
        for token in [name, id].into_iter().map_while(|token| token) {
            subject.push('.');
            subject.push_str(token);
        }
        subject
    }

    /// The `type` of the answers.
    pub(crate) fn response_type(self) -> &'static str {
        match self {
            Self::Ping => "io.nats.micro.v1.ping_response",
            Self::Info => "io.nats.micro.v1.info_response",
            Self::Stats => "io.nats.micro.v1.stats_response",
        }
    }
}

/// An answer's error, number and description, if it says that it is one.
pub(crate) fn error_in(headers: Option<&HeaderMap>) -> Option<(String, String)> {
    let headers = headers?;
    let value = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    let (code, said) = (value(ERROR_CODE), value(ERROR));
    if code.is_none() && said.is_none() {
        return None;
    }
    Some((code.unwrap_or_default(), said.unwrap_or_default()))
}

/// Whether this can be the name of a service or an endpoint.
pub(crate) fn is_name(written: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !written.is_empty() && written.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subjects_of_discovery_are_those_of_the_agreement() {
        assert_eq!(Verb::Ping.subject(None, None), "$SRV.PING");
        assert_eq!(Verb::Info.subject(Some("greet"), None), "$SRV.INFO.greet");
        let one = Verb::Stats.subject(Some("greet"), Some("A1"));
        assert_eq!(one, "$SRV.STATS.greet.A1");
        assert_eq!(Verb::Ping.subject(None, Some("A1")), "$SRV.PING");
    }

    #[test]
    fn an_answer_is_an_error_if_either_header_says_so() {
        let mut headers = HeaderMap::new();
        assert_eq!(error_in(Some(&headers)), None);
        headers.insert(ERROR_CODE, "404");
        assert_eq!(
            error_in(Some(&headers)),
            Some(("404".into(), String::new()))
        );
        headers.insert(ERROR, "no such book");
        let both = Some(("404".into(), "no such book".into()));
        assert_eq!(error_in(Some(&headers)), both);
    }
}
