//! The names that a client's certificate bears, by which `verify_and_map` finds its user.

use recado_auth::{Attribute, CertificateNames, DistinguishedName};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

/// Reads them from a certificate; `None` where it can't be read.
pub(crate) fn names_in(certificate: &CertificateDer<'_>) -> Option<CertificateNames> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let mut names = CertificateNames {
        subject: subject(parsed.subject()),
        ..CertificateNames::default()
    };
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let alternatives = alternatives
        .iter()
        .flat_map(|found| &found.value.general_names);
    for name in alternatives {
        match name {
            GeneralName::RFC822Name(email) => names.emails.push((*email).to_owned()),
            GeneralName::DNSName(dns) => names.dns.push((*dns).to_owned()),
            GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
            _ => {}
        }
    }
    Some(names)
}

/// The subject of a certificate as text, to be shown to people; empty where it can't be read.
pub(crate) fn subject_text(certificate: &CertificateDer<'_>) -> String {
    name_text(certificate, |parsed| parsed.subject())
}

/// The same of whoever issued it.
pub(crate) fn issuer_text(certificate: &CertificateDer<'_>) -> String {
    name_text(certificate, |parsed| parsed.issuer())
}

fn name_text(
    certificate: &CertificateDer<'_>,
    which: impl for<'a> Fn(&'a X509Certificate<'a>) -> &'a X509Name<'a>,
) -> String {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    parsed.map_or_else(
        |_| String::new(),
        |(_, parsed)| subject(which(&parsed)).text(),
    )
}

fn subject(name: &X509Name<'_>) -> DistinguishedName {
    let parts = name.iter_rdn().map(|part| {
        part.iter()
            .map(|attribute| {
                let identifier = attribute.attr_type().to_id_string();
                // A value that is no text is written as RFC 4514 has it: # and its bytes.
                let value = attribute.as_str().map_or_else(
                    |_| {
                        let bytes = attribute.as_slice().iter();
                        bytes.fold("#".to_owned(), |text, byte| format!("{text}{byte:02x}"))
                    },
                    str::to_owned,
                );
                Attribute::of_certificate(&identifier, &value)
            })
            .collect()
    });
    DistinguishedName::of_certificate(parts.collect())
}
