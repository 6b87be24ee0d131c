//! What is said about credentials and certificates: where they come from, and what is wrong there.

super::texts! {
    /// Where something came from, as part of a sentence.
    source_context(name: &str) {
        en: "the context {name}",
        es: "el contexto {name}",
    }

    too_large(path: &str) {
        en: "{path} is too large to be a secret (more than 1 MiB)",
        es: "{path} es demasiado grande para ser un secreto (más de 1 MiB)",
    }
    no_jwt(path: &str) {
        en: "{path} holds no user JWT",
        es: "{path} no contiene el JWT de un usuario",
    }
    no_seed(path: &str) {
        en: "{path} holds no seed of a key (a line that starts with SU)",
        es: "{path} no contiene la semilla de una clave (una línea que empieza con SU)",
    }
    bad_seed(path: &str) {
        en: "the seed in {path} is damaged",
        es: "la semilla en {path} está dañada",
    }
    broken_next() {
        en: "check that it is the right file, and whole; whoever runs the server can make a new one",
        es: "comprueba que sea el archivo correcto y esté completo; quien administra el servidor puede hacer otro",
    }

    variable_empty(name: &str, source: &str) {
        en: "{source} refers to the variable {name}, which is not set",
        es: "{source} remite a la variable {name}, que no está definida",
    }
    variable_empty_next() {
        en: "set the variable, or name a file instead",
        es: "define la variable, o indica un archivo en su lugar",
    }
    bad_data(source: &str) {
        en: "{source}: what stands behind \"data:\" is not base64 of a text",
        es: "{source}: lo que sigue a «data:» no es el base64 de un texto",
    }
    bad_data_next() {
        en: "write data:;base64,CONTENT, or name a file instead",
        es: "escribe data:;base64,CONTENIDO, o indica un archivo en su lugar",
    }
    one_password(reference: &str, source: &str) {
        en: "{source} keeps its secret in 1Password ({reference}), where Recado can't fetch it",
        es: "{source} guarda su secreto en 1Password ({reference}), de donde Recado no puede tomarlo",
    }
    one_password_next() {
        en: "let op do it: op run -- recado …, with env://NAME in its place",
        es: "deja que lo haga op: op run -- recado …, con env://NOMBRE en su lugar",
    }
    nsc(reference: &str, source: &str) {
        en: "{source} looks its credentials up with nsc ({reference}), which Recado can't do",
        es: "{source} busca sus credenciales con nsc ({reference}), y Recado no puede hacerlo",
    }
    nsc_next() {
        en: "write them to a file once (nsc generate creds) and name it with --creds or in the context; name the server too",
        es: "guárdalas una vez en un archivo (nsc generate creds) e indícalo con --creds o en el contexto; indica también el servidor",
    }

    no_authorities(detail: &str) {
        en: "no certificate authorities to trust were found on this machine: {detail}",
        es: "no se encontraron en esta máquina autoridades de certificación en que confiar: {detail}",
    }
    no_authorities_next() {
        en: "install ca-certificates, or name a file with --tlsca or SSL_CERT_FILE",
        es: "instala ca-certificates, o indica un archivo con --tlsca o SSL_CERT_FILE",
    }
    nothing_in_pem(path: &str) {
        en: "{path} does not hold what is needed: a certificate or key in PEM form",
        es: "{path} no contiene lo necesario: un certificado o una clave en formato PEM",
    }
    bad_pem(path: &str, detail: &str) {
        en: "{path} can't be used: {detail}",
        es: "no se puede usar {path}: {detail}",
    }
    bad_pem_next() {
        en: "check that it is the right file, and that it begins with -----BEGIN",
        es: "comprueba que sea el archivo correcto y que empiece con -----BEGIN",
    }
    certificate_and_key(certificate: &str, key: &str, detail: &str) {
        en: "the certificate {certificate} and the key {key} don't go together: {detail}",
        es: "el certificado {certificate} y la clave {key} no van juntos: {detail}",
    }
    certificate_and_key_next() {
        en: "name the key that the certificate was made for",
        es: "indica la clave para la que se hizo el certificado",
    }
    half_of_a_pair() {
        en: "a certificate needs its key, and a key its certificate; only one of them was named",
        es: "un certificado necesita su clave, y una clave su certificado; solo se indicó uno de los dos",
    }
    half_of_a_pair_next() {
        en: "give both: --tlscert and --tlskey, NATS_CERT and NATS_KEY, or cert and key in the context",
        es: "da los dos: --tlscert y --tlskey, NATS_CERT y NATS_KEY, o cert y key en el contexto",
    }
    windows_store(source: &str, store: &str) {
        en: "{source} takes its certificate from the Windows store \"{store}\", which this machine does not have",
        es: "{source} toma su certificado del almacén de Windows «{store}», que esta máquina no tiene",
    }
}
