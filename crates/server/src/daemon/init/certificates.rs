//! A certificate authority that is made on the spot, and the one certificate that it signs.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// How long clients may trust the authority.
const AUTHORITY_YEARS: i64 = 10;
/// How long the server's certificate is good.
const SERVER_YEARS: i64 = 5;

/// All as PEM.
pub(super) struct Made {
    pub(super) authority: String,
    pub(super) authority_key: String,
    /// The server's, with the authority's behind it.
    pub(super) server: String,
    pub(super) server_key: String,
    /// The server's is good until then.
    pub(super) until: Date,
}

/// Today, as certificates count.
pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Makes both for a machine with these names and addresses.
///
/// # Errors
/// When a name can't stand in a certificate, or the system gives no random numbers.
pub(super) fn make(hosts: &[String], today: Date) -> Result<Made, rcgen::Error> {
    let name = hosts.first().map_or("localhost", String::as_str);
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name = named(&format!("Recado authority of {name}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let moment = |date: Date| {
        let part = |part: i8| u8::try_from(part).unwrap_or(1);
        date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    // Clocks differ: what is made now is good since yesterday.
    let since = today.saturating_sub(1.day());
    let until = |years: i64| today.saturating_add(years.years());
    authority.not_before = moment(since);
    authority.not_after = moment(until(AUTHORITY_YEARS));
    let authority_certificate = authority.self_signed(&authority_key)?;

    let server_key = KeyPair::generate()?;
    let mut server = CertificateParams::new(hosts.to_vec())?;
    server.distinguished_name = named(name);
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    server.not_before = moment(since);
    server.not_after = moment(until(SERVER_YEARS));
    let issuer = Issuer::from_params(&authority, &authority_key);
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    let authority = authority_certificate.pem();
    Ok(Made {
        server: server_certificate.pem() + &authority,
        authority,
        authority_key: authority_key.serialize_pem(),
        server_key: server_key.serialize_pem(),
        until: until(SERVER_YEARS),
    })
}

/// The most that a common name may hold (RFC 5280).
const COMMON_NAME_CHARS_MAX: usize = 64;

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    let name: String = name.chars().take(COMMON_NAME_CHARS_MAX).collect();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_good_for_years_and_never_the_same() {
        let today = jiff::civil::date(2028, 2, 29);
        let hosts = ["localhost".to_owned(), "::1".to_owned()];
        let made = make(&hosts, today).unwrap();
        assert_eq!(made.until, jiff::civil::date(2033, 2, 28));
        assert_eq!(made.server.matches("BEGIN CERTIFICATE").count(), 2);
        assert!(made.server.ends_with(&made.authority));
        let again = make(&hosts, today).unwrap();
        assert_ne!(made.authority_key, again.authority_key);
        assert_ne!(made.server_key, made.authority_key);
    }
}
