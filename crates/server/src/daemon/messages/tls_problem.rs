//! Why TLS can't be had with what was configured, and what to do about it.

use super::Pair;
use crate::TlsProblem;

/// Its words. The English ones are the library's.
pub(super) fn pair(problem: &TlsProblem) -> Pair {
    (problem.to_string(), spanish(problem))
}

fn spanish(problem: &TlsProblem) -> String {
    match problem {
        TlsProblem::NoCertificate => {
            "TLS necesita un certificado y su clave privada: indica los dos (cert_file y key_file)".into()
        }
        TlsProblem::Unreadable { path, error } => {
            format!("no se puede leer {}: {error}", path.display())
        }
        TlsProblem::NotCertificates { path } => format!(
            "no hay ningún certificado en {}: debe ser un archivo PEM con BEGIN CERTIFICATE",
            path.display()
        ),
        TlsProblem::NotKey { path } => format!(
            "no hay ninguna clave privada en {}: debe ser un archivo PEM con BEGIN PRIVATE KEY, sin cifrar",
            path.display()
        ),
        TlsProblem::UnusableKey { path, error } => format!(
            "la clave privada de {} no se puede usar: {error}",
            path.display()
        ),
        TlsProblem::KeyOfAnother { cert, key } => format!(
            "la clave privada de {} no es la del certificado de {}",
            key.display(),
            cert.display()
        ),
        TlsProblem::UnusableAuthority { path, error } => format!(
            "una autoridad de {} no se puede usar: {error}",
            path.display()
        ),
        TlsProblem::NoIssuer { path } => format!(
            "ocsp necesita el certificado de quien emitió el de {}: ponlo detrás del certificado en ese archivo, o indícalo con ca_file",
            path.display()
        ),
        TlsProblem::NoStaple { path, error } => format!(
            "no se pudo obtener el estado OCSP del certificado de {}: {error}",
            path.display()
        ),
        TlsProblem::CertificateNotGood { path, status } => format!(
            "el estado OCSP del certificado de {} es «{status}»: consigue otro certificado",
            path.display()
        ),
        TlsProblem::NoAuthorities => {
            "no hay ninguna autoridad con la que comprobar los certificados de los clientes: indica un archivo con ca_file".into()
        }
        TlsProblem::NothingInCommon => {
            "min_version, cipher_suites y curve_preferences no dejan nada que se pueda hablar".into()
        }
    }
}
