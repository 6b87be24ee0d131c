//! The names that a client's certificate bears, by which `verify_and_map` finds its user.

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

/// What a certificate says about whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// E-mail addresses (subject alternative names).
    pub emails: Vec<String>,
    /// Host names (subject alternative names).
    pub dns: Vec<String>,
    /// URIs (subject alternative names), SPIFFE identities among them.
    pub uris: Vec<String>,
    /// The parts of the subject's distinguished name, in the order of the certificate: short name of the
    /// attribute (`CN`, `OU`, …) or its number, and value.
    pub subject: Vec<(String, String)>,
    /// The same as one text, the way RFC 4514 writes it: most specific part first.
    pub subject_text: String,
}

impl CertificateNames {
    /// Reads them from a certificate; `None` where it can't be read.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let mut names = Self {
            subject: parts(parsed.subject()),
            ..Self::default()
        };
        names.subject_text = rfc_4514(&names.subject);
        let alternatives = parsed.subject_alternative_name().ok().flatten();
        for name in alternatives
            .iter()
            .flat_map(|found| &found.value.general_names)
        {
            match name {
                GeneralName::RFC822Name(email) => names.emails.push((*email).to_owned()),
                GeneralName::DNSName(dns) => names.dns.push((*dns).to_owned()),
                GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
                _ => {}
            }
        }
        Some(names)
    }
}

fn parts(name: &X509Name<'_>) -> Vec<(String, String)> {
    name.iter_attributes()
        .map(|attribute| {
            let number = attribute.attr_type().to_id_string();
            let key = short_name(&number).map_or(number.clone(), str::to_owned);
            let value = attribute.as_str().map(str::to_owned);
            // A value that is no text is written as RFC 4514 has it: # and its bytes.
            let value = value.unwrap_or_else(|_| {
                let bytes = attribute.as_slice().iter();
                bytes.fold("#".to_owned(), |text, byte| format!("{text}{byte:02x}"))
            });
            (key, value)
        })
        .collect()
}

/// Attributes that have a short name in RFC 4514, and a few that certificates use beside them.
fn short_name(number: &str) -> Option<&'static str> {
    Some(match number {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.17" => "POSTALCODE",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        _ => return None,
    })
}

fn rfc_4514(parts: &[(String, String)]) -> String {
    let written: Vec<String> = parts
        .iter()
        .rev()
        .map(|(key, value)| format!("{key}={}", escaped(value)))
        .collect();
    written.join(",")
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(value.len());
    for (at, character) in value.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (at == 0 && matches!(character, ' ' | '#'))
            || (at == last && character == ' ');
        match character {
            '\0' => out.push_str("\\00"),
            _ if special => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}
