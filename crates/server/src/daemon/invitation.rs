//! The command that the first line offers for the second terminal: it must work as it stands.

use std::net::SocketAddr;

use crate::config::{Lang, Options, shell_word};

/// The client's own default.
const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

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
    // What is a secret, or not known, stands in capitals for the reader to fill in.
    let (file, name, password) = match lang {
        Lang::En => ("FILE", "NAME", "PASSWORD"),
        Lang::Es => ("ARCHIVO", "NOMBRE", "CONTRASEÑA"),
    };
    let credential = &options.authorization;
    if credential.token.is_some() {
        let known = credential.token_file.as_deref().and_then(shell_word);
        words.push(format!("--token-file {}", known.as_deref().unwrap_or(file)));
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
        options.authorization.token_file = Some("my tokens/a".into());
        assert_eq!(
            offered(&options, "127.0.0.1:4222", Lang::Es),
            "recado --token-file 'my tokens/a' sub hola"
        );
    }
}
