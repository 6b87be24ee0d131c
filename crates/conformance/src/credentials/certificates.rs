//! Two authorities and what they sign.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::Credentials;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// What the servers of tests are called by their clients.
const HERE: [&str; 2] = ["localhost", "127.0.0.1"];

pub(super) fn write(to: &Credentials) {
    let ours = authority("Recado tests");
    let stranger = authority("Strangers");
    to.keep("ca.pem", &ours.pem());
    to.keep("stranger-ca.pem", &stranger.pem());

    sign(to, &ours, "server", server(&HERE));
    sign(to, &ours, "successor", server(&HERE));
    sign(to, &ours, "wrong-name", server(&["elsewhere.example"]));
    sign(to, &ours, "expired", over(server(&HERE)));
    sign(to, &ours, "client", client());
    sign(to, &stranger, "stranger-client", client());
    sign(to, &ours, "expired-client", over(client()));
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, key()).expect("a key can sign itself")
}

fn server(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names of hosts");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn client() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.distinguished_name.push(DnType::CommonName, "ana");
    params
}

fn over(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(1999, 1, 1);
    params.not_after = date_time_ymd(2000, 1, 1);
    params
}

fn sign(to: &Credentials, by: &Authority, name: &str, mut params: CertificateParams) {
    // Some libraries look for their issuer by its key, not by its name alone.
    params.use_authority_key_identifier_extension = true;
    let key = key();
    let certificate = params.signed_by(&key, by).expect("an authority signs");
    to.keep(&format!("{name}.pem"), &certificate.pem());
    to.keep(&format!("{name}.key"), &key.serialize_pem());
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the machine has randomness")
}
