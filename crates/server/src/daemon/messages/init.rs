//! What `init` writes and says.

use std::path::PathBuf;

use super::{Pair, choose};
use crate::config::Lang;

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitText {
    /// There is no home to write below.
    NoDirectory,
    /// A file is there already.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file or directory can't be made.
    Failed {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// A path can't stand in a configuration.
    NotText {
        /// The path.
        path: PathBuf,
    },
    /// There is no key, certificate or hash.
    Certificate {
        /// Why.
        error: String,
    },
    /// All is there.
    Made {
        /// Where.
        directory: PathBuf,
        /// The files, from there on, and what each is.
        files: Vec<(String, InitFile)>,
        /// The server's next command.
        start: String,
        /// The client's next command.
        try_it: String,
    },
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitFile {
    /// The configuration.
    Configuration,
    /// The server's certificate.
    Server {
        /// Names and addresses.
        hosts: String,
        /// Last day.
        until: String,
    },
    /// The server's private key.
    ServerKey,
    /// The authority's certificate.
    Authority,
    /// The authority's private key.
    AuthorityKey,
    /// A client's context.
    Context {
        /// Its user; `None`: whoever has the token.
        user: Option<String>,
    },
}

/// The configuration that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Today.
    pub date: String,
    /// The configuration's own file.
    pub file: String,
    /// Where the server listens.
    pub listen: String,
    /// What stands inside `authorization { … }`.
    pub authorization: String,
    /// Users rather than one token.
    pub has_users: bool,
    /// Where streams are stored, in quotes.
    pub store: String,
    /// The block `tls { … }`, and the certificate's last day.
    pub tls: Option<(String, String)>,
    /// What the certificate holds for.
    pub hosts: String,
}

impl InitText {
    /// The text.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair(lang))
    }

    fn pair(&self, lang: Lang) -> Pair {
        match self {
            Self::NoDirectory => (
                "there is no home directory to write a configuration to; name one: init DIR"
                    .to_owned(),
                "no hay directorio personal donde escribir la configuración; indica uno: init DIR"
                    .to_owned(),
            ),
            Self::Exists { path } => (
                format!(
                    "{} is there already, and nothing is written over: move it away, or name another directory",
                    path.display()
                ),
                format!(
                    "{} ya existe, y no se sobrescribe nada: muévelo a otro lugar o indica otro directorio",
                    path.display()
                ),
            ),
            Self::Failed { path, error } => (
                format!("can't make {}: {error}", path.display()),
                format!("no se puede crear {}: {error}", path.display()),
            ),
            Self::NotText { path } => (
                format!(
                    "{} is not UTF-8 and can't stand in a configuration; name another directory",
                    path.display()
                ),
                format!(
                    "{} no es UTF-8 y no puede figurar en una configuración; indica otro directorio",
                    path.display()
                ),
            ),
            Self::Certificate { error } => (
                format!("can't make keys and certificates: {error}"),
                format!("no se pueden crear claves y certificados: {error}"),
            ),
            Self::Made {
                directory,
                files,
                start,
                try_it,
            } => {
                let width = files.iter().map(|(name, _)| name.chars().count()).max();
                let width = width.unwrap_or_default();
                let rows: String = files
                    .iter()
                    .map(|(name, file)| format!("  {name:width$}  {}\n", file.text(lang)))
                    .collect();
                let directory = directory.display();
                (
                    format!(
                        "Made in {directory}:\n\n{rows}\n\
                         Start the server:           {start}\n\
                         Then try it from a client:  {try_it}\n"
                    ),
                    format!(
                        "Creado en {directory}:\n\n{rows}\n\
                         Arranca el servidor:           {start}\n\
                         Y pruébalo desde un cliente:   {try_it}\n"
                    ),
                )
            }
        }
    }
}

impl InitFile {
    fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::Configuration => (
                "what the server does; every line is explained in it".to_owned(),
                "lo que hace el servidor; cada línea está explicada dentro".to_owned(),
            ),
            Self::Server { hosts, until } => (
                format!("its certificate, for {hosts}; good until {until}"),
                format!("su certificado, para {hosts}; válido hasta el {until}"),
            ),
            Self::ServerKey => (
                "its private key".to_owned(),
                "su clave privada".to_owned(),
            ),
            Self::Authority => (
                "what clients trust: copy it to their machines, it is no secret".to_owned(),
                "aquello en lo que confían los clientes: cópialo a sus máquinas, no es un secreto"
                    .to_owned(),
            ),
            Self::AuthorityKey => (
                "signs further certificates; the server does not need it: move it to a safe place off this machine"
                    .to_owned(),
                "firma más certificados; el servidor no la necesita: llévala a un lugar seguro fuera de esta máquina"
                    .to_owned(),
            ),
            Self::Context { user: Some(user) } => (
                format!("all that {user} needs to connect, password included: hand it over and delete it here"),
                format!("todo lo que necesita {user} para conectarse, contraseña incluida: entrégalo y bórralo aquí"),
            ),
            Self::Context { user: None } => (
                "all that clients need to connect, token included".to_owned(),
                "todo lo que necesitan los clientes para conectarse, token incluido".to_owned(),
            ),
        }
    }
}

impl Written {
    /// The whole file.
    pub fn text(&self, lang: Lang) -> String {
        let (file, date, hosts) = (&self.file, &self.date, &self.hosts);
        let (listen, store) = (&self.listen, &self.store);
        let authorization = format!("authorization {{\n{}}}\n", self.authorization);
        let english = || {
            let open = match self.tls {
                Some(_) => {
                    "Clients of every machine that reaches this one; they speak TLS and present a credential."
                }
                None => {
                    "Clients of this machine only: without TLS, secrets and messages would pass in clear. For \"0.0.0.0:4222\",\n# turn TLS on first (tls { cert_file, key_file })."
                }
            };
            let tls = self.tls.as_ref().map_or(String::new(), |(block, until)| {
                format!(
                    "# What the server proves itself with: good until {until}, for\n\
                     # {hosts}.\n\
                     # It is signed by an authority of its own, which clients trust by tls/ca.pem. A new pair of files in their place\n\
                     # is taken over by a reload.\n\
                     {block}\n"
                )
            });
            let who = match self.has_users {
                true => {
                    "Who may come in. Of each password only the hash is here; the password itself is in clients/. What each may do,\n# permissions { publish, subscribe } in its braces say; without them, everything."
                }
                false => {
                    "What clients must present. Only the hash is here; the token itself is in clients/."
                }
            };
            format!(
                "# Made by `recado-server init` on {date}. What can be said here: docs/configuration.md, recado-server.conf(5).\n\
                 # After a change:  recado-server -t -c {file}\n\
                 # What holds, and why:  recado-server explain-config {file}\n\
                 \n\
                 # {open}\n\
                 listen: \"{listen}\"\n\
                 \n\
                 {tls}# {who}\n\
                 {authorization}\n\
                 # Where streams are stored. What is acknowledged is on disk. As a rule they may take three quarters of it, and of memory.\n\
                 jetstream {{\n    store_dir: {store}\n    # max_file_store: 50GiB\n    # max_memory_store: 1GiB\n}}\n\
                 \n\
                 # Largest message; and how much may wait for a client that reads too slowly before it is cut off.\n\
                 # max_payload: 1MiB\n\
                 # max_pending: 64MiB\n\
                 \n\
                 # What can be watched over HTTP, on this machine only.\n\
                 # http: \"127.0.0.1:8222\"\n"
            )
        };
        let spanish = || {
            let open = match self.tls {
                Some(_) => {
                    "Clientes de cualquier máquina que llegue hasta esta; hablan TLS y presentan una credencial."
                }
                None => {
                    "Solo clientes de esta máquina: sin TLS, los secretos y los mensajes irían en claro. Para \"0.0.0.0:4222\",\n# activa antes TLS (tls { cert_file, key_file })."
                }
            };
            let tls = self.tls.as_ref().map_or(String::new(), |(block, until)| {
                format!(
                    "# Con qué se identifica el servidor: válido hasta el {until}, para\n\
                     # {hosts}.\n\
                     # Lo firma una autoridad propia, en la que los clientes confían por tls/ca.pem. Otro par de archivos en su lugar\n\
                     # se toma al recargar.\n\
                     {block}\n"
                )
            });
            let who = match self.has_users {
                true => {
                    "Quién puede entrar. De cada contraseña solo está aquí el resumen; la contraseña misma, en clients/. Lo que puede\n# hacer cada uno lo dice permissions { publish, subscribe } entre sus llaves; sin ello, todo."
                }
                false => {
                    "Lo que deben presentar los clientes. Aquí solo está el resumen; el token mismo, en clients/."
                }
            };
            format!(
                "# Creado por `recado-server init` el {date}. Lo que se puede decir aquí: docs/configuration.md, recado-server.conf(5).\n\
                 # Tras un cambio:  recado-server -t -c {file}\n\
                 # Qué vale, y por qué:  recado-server explain-config {file}\n\
                 \n\
                 # {open}\n\
                 listen: \"{listen}\"\n\
                 \n\
                 {tls}# {who}\n\
                 {authorization}\n\
                 # Dónde se guardan los flujos. Lo que está confirmado está en disco. Por omisión pueden ocupar tres cuartos de este, y\n\
                 # de la memoria.\n\
                 jetstream {{\n    store_dir: {store}\n    # max_file_store: 50GiB\n    # max_memory_store: 1GiB\n}}\n\
                 \n\
                 # El mensaje más grande; y cuánto puede esperar a un cliente que lee despacio antes de cortarlo.\n\
                 # max_payload: 1MiB\n\
                 # max_pending: 64MiB\n\
                 \n\
                 # Lo que se puede vigilar por HTTP, solo desde esta máquina.\n\
                 # http: \"127.0.0.1:8222\"\n"
            )
        };
        match lang {
            Lang::En => english(),
            Lang::Es => spanish(),
        }
    }
}
