//! The command that the first line offers for the second terminal: it must work as it stands.

use std::ffi::OsStr;
use std::net::SocketAddr;

use crate::config::{Lang, Options};

/// The client's own default.
const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

/// How the client is started by whoever has just typed `cargo run` and installed nothing.
const FROM_SOURCE: &str = "cargo run --release --bin recado --";

/// How the client is started on this machine: `package` is cargo's `CARGO_PKG_NAME`, which `cargo
/// run` hands to the server, and nobody else does.
pub(super) fn client(package: Option<&OsStr>) -> &'static str {
    match package.is_some_and(|name| name == env!("CARGO_PKG_NAME")) {
        true => FROM_SOURCE,
        false => "recado",
    }
}

/// A first command of the client for a server with these options that listens there.
pub(super) fn command(
    client: &str,
    options: &Options,
    reachable: SocketAddr,
    lang: Lang,
) -> String {
    let mut words = vec![client.to_owned()];
    let url = format!("nats://{reachable}");
    if url != DEFAULT_URL {
        words.extend(["--server".to_owned(), url]);
    }
    // What was given as a secret is not shown: it stands in capitals for the reader to fill in.
    let (file, name, password) = match lang {
        Lang::En => ("FILE", "NAME", "PASSWORD"),
        Lang::Es => ("ARCHIVO", "NOMBRE", "CONTRASEÑA"),
    };
    let credential = &options.authorization;
    if credential.token.is_some() {
        words.push(format!("--token-file {file}"));
    } else if credential.user.is_some() {
        words.push(format!("--user {name} --password {password}"));
    }
    let hello = match lang {
        Lang::En => "hello",
        Lang::Es => "hola",
    };
    words.push(match options.builtin_service {
        true => format!("request recado.echo {hello}"),
        false => format!("sub {hello}"),
    });
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Authorization;

    fn offered(options: &Options, address: &str, lang: Lang) -> String {
        command("recado", options, address.parse().unwrap(), lang)
    }

    #[test]
    fn the_defaults_need_no_flags() {
        let options = Options::default();
        assert_eq!(
            offered(&options, "127.0.0.1:4222", Lang::En),
            "recado request recado.echo hello"
        );
        assert_eq!(
            offered(&options, "127.0.0.1:4222", Lang::Es),
            "recado request recado.echo hola"
        );
    }

    #[test]
    fn what_cargo_runs_is_answered_by_what_cargo_runs() {
        assert_eq!(client(None), "recado");
        assert_eq!(client(Some(OsStr::new("another-program"))), "recado");
        let client = client(Some(OsStr::new("recado-server")));
        assert_eq!(
            command(
                client,
                &Options::default(),
                "127.0.0.1:4222".parse().unwrap(),
                Lang::En
            ),
            "cargo run --release --bin recado -- request recado.echo hello"
        );
    }

    #[test]
    fn another_port_a_credential_and_no_service_are_told() {
        let mut options = Options {
            builtin_service: false,
            ..Options::default()
        };
        assert_eq!(
            offered(&options, "[::1]:4333", Lang::En),
            "recado --server nats://[::1]:4333 sub hello"
        );
        options.authorization = Authorization {
            token: Some("s3cret".to_owned()),
            ..Authorization::default()
        };
        assert_eq!(
            offered(&options, "127.0.0.1:4222", Lang::En),
            "recado --token-file FILE sub hello"
        );
    }
}
