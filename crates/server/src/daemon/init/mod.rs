//! `init`: writes a configuration that is safe as it stands (TLS with an authority of its own, a secret for each who
//! comes in), and says how to start with it. It never writes over anything.

mod certificates;
mod files;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::unistd::Group;
use serde_json::json;

use self::certificates::Made;
use self::files::{Files, Reader};
use super::messages::{InitFile, InitText, Written};
use crate::config::flags::Init;
use crate::config::{Lang, Programs, Surroundings, default_store, new_secret, shell_word};

const CONFIGURATION: &str = "recado-server.conf";
/// Where the machine's configuration is.
const MACHINE: &str = "/etc/recado";
/// Where a service stores.
const MACHINE_STORE: &str = "/var/lib/recado";
/// The user and group that the service runs as.
const SERVICE: &str = "recado";
/// Cost of the hashes. The passwords are 256 random bits, which nobody guesses however cheap a guess is; more would only
/// slow down connecting.
const BCRYPT_COST: u32 = 4;

/// Writes the files, tells about them, and says how it went. `program` is the file name that it was called by.
pub fn run(init: &Init, program: &str, lang: Lang, surroundings: &dyn Surroundings) -> ExitCode {
    let told = Plan::of(init, lang, surroundings)
        .and_then(|plan| plan.carry_out().map(|made| plan.tell(made.as_ref())));
    let done = told.is_ok();
    // Whether anybody reads this can't be helped.
    let _ = match told {
        Ok(text) => io::stdout().write_all(text.as_bytes()),
        Err(why) => writeln!(io::stderr(), "{program}: {}", why.text(lang)),
    };
    ExitCode::from(u8::from(!done))
}

/// A user, or whoever has the token; what it presents; and what the server keeps of that.
struct Credential {
    /// `None`: the token.
    user: Option<String>,
    secret: String,
    hash: String,
}

/// What will be written.
struct Plan {
    directory: PathBuf,
    store: PathBuf,
    lang: Lang,
    is_root: bool,
    tls: bool,
    /// Host that was named first, which others know the machine by.
    named_host: Option<String>,
    hosts: Vec<String>,
    credentials: Vec<Credential>,
}

impl Plan {
    fn of(init: &Init, lang: Lang, surroundings: &dyn Surroundings) -> Result<Self, InitText> {
        let is_root = surroundings.is_root();
        let directory = match &init.directory {
            Some(directory) => directory.clone(),
            None if is_root => PathBuf::from(MACHINE),
            None => user_directory(surroundings).ok_or(InitText::NoDirectory)?,
        };
        // TLS files are named in full: the server may be started from anywhere.
        let directory = std::path::absolute(&directory).map_err(|error| InitText::Failed {
            path: directory.clone(),
            error: error.to_string(),
        })?;
        let store = match directory == Path::new(MACHINE) {
            true => Some(PathBuf::from(MACHINE_STORE)),
            false => default_store(surroundings),
        };
        let mut hosts = init.hosts.clone();
        let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        for host in host_name().into_iter().chain(own) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        let users = match init.users.is_empty() {
            true => vec![None],
            false => init.users.iter().cloned().map(Some).collect(),
        };
        Ok(Self {
            store: store.unwrap_or_else(|| directory.join("store")),
            directory,
            lang,
            is_root,
            tls: init.tls,
            named_host: init.hosts.first().cloned(),
            hosts,
            credentials: users
                .into_iter()
                .map(Credential::new)
                .collect::<Result<_, _>>()?,
        })
    }

    fn carry_out(&self) -> Result<Option<Made>, InitText> {
        let failed = |path: &Path, error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => InitText::Exists {
                path: path.to_owned(),
            },
            _ => InitText::Failed {
                path: path.to_owned(),
                error: error.to_string(),
            },
        };
        let group = self.service_group();
        let mut files =
            Files::below(&self.directory, group).map_err(|error| failed(&self.directory, error))?;
        let mut write = |name: &str, contents: &str, reader| {
            let path = self.directory.join(name);
            (files.write(name, contents, reader)).map_err(|error| failed(&path, error))
        };
        let today = certificates::today();
        let made = match self.tls {
            true => Some(certificates::make(&self.hosts, today).map_err(|error| {
                InitText::Certificate {
                    error: error.to_string(),
                }
            })?),
            false => None,
        };
        // First of all: that is the file which is most often there already.
        let configuration = self.configuration(made.as_ref(), &today.to_string())?;
        write(CONFIGURATION, &configuration, Reader::Server)?;
        if let Some(made) = &made {
            // The directory is the server's, though the authority's certificate is everybody's.
            write("tls/server.key", &made.server_key, Reader::Server)?;
            write("tls/server.pem", &made.server, Reader::Server)?;
            write("tls/ca.pem", &made.authority, Reader::All)?;
            write("ca/ca.key", &made.authority_key, Reader::Owner)?;
        }
        for credential in &self.credentials {
            let context = self.context(credential)?;
            write(&credential.file(), &context, Reader::Owner)?;
        }
        files.keep();
        Ok(made)
    }

    /// The group that the service reads as, where root writes for it.
    fn service_group(&self) -> Option<u32> {
        if !self.is_root {
            return None;
        }
        let group = Group::from_name(SERVICE).ok().flatten()?;
        Some(group.gid.as_raw())
    }

    fn configuration(&self, made: Option<&Made>, date: &str) -> Result<String, InitText> {
        let path = |path: &Path| {
            let text = path.to_str().map(quoted);
            text.ok_or_else(|| InitText::NotText {
                path: path.to_owned(),
            })
        };
        let authorization = match self.credentials.as_slice() {
            [
                Credential {
                    user: None, hash, ..
                },
            ] => format!("    token: {}\n", quoted(hash)),
            users => {
                let users = users.iter().map(|one| {
                    let user = quoted(one.user.as_deref().unwrap_or_default());
                    format!(
                        "        {{ user: {user}, password: {} }}\n",
                        quoted(&one.hash)
                    )
                });
                format!("    users: [\n{}    ]\n", users.collect::<String>())
            }
        };
        let tls = self.directory.join("tls");
        let written = Written {
            date: date.to_owned(),
            file: self.directory.join(CONFIGURATION).display().to_string(),
            listen: self.listen().to_owned(),
            authorization,
            has_users: self.has_users(),
            store: path(&self.store)?,
            tls: match made {
                None => None,
                Some(made) => Some((
                    format!(
                        "tls {{\n    cert_file: {}\n    key_file: {}\n}}\n",
                        path(&tls.join("server.pem"))?,
                        path(&tls.join("server.key"))?
                    ),
                    made.until.to_string(),
                )),
            },
            hosts: self.hosts.join(", "),
        };
        Ok(written.text(self.lang))
    }

    /// A client's way in, in the form that `recado` and other programs share.
    fn context(&self, credential: &Credential) -> Result<String, InitText> {
        let host = self.named_host.as_deref().unwrap_or("localhost");
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            // A certificate for *.example holds for any name below.
            false => host.replacen('*', "server", 1),
        };
        let mut context = json!({ "url": format!("nats://{host}:4222") });
        match &credential.user {
            Some(user) => {
                context["user"] = json!(user);
                context["password"] = json!(credential.secret);
            }
            None => context["token"] = json!(credential.secret),
        }
        if self.tls {
            let ca = self.directory.join("tls/ca.pem");
            let text = ca.to_str().map(str::to_owned);
            context["ca"] = json!(text.ok_or(InitText::NotText { path: ca })?);
        }
        let text = serde_json::to_string_pretty(&context).unwrap_or_default();
        Ok(text + "\n")
    }

    fn listen(&self) -> &'static str {
        // A secret that passes in clear is none: without TLS it stays on this machine.
        match self.tls {
            true => "0.0.0.0:4222",
            false => "127.0.0.1:4222",
        }
    }

    fn has_users(&self) -> bool {
        self.credentials.iter().any(|one| one.user.is_some())
    }

    /// What was made, and the next two commands.
    fn tell(&self, made: Option<&Made>) -> String {
        let mut files = vec![(CONFIGURATION.to_owned(), InitFile::Configuration)];
        if let Some(made) = made {
            let hosts = self.hosts.join(", ");
            let until = made.until.to_string();
            files.push((
                "tls/server.pem".to_owned(),
                InitFile::Server { hosts, until },
            ));
            files.push(("tls/server.key".to_owned(), InitFile::ServerKey));
            files.push(("tls/ca.pem".to_owned(), InitFile::Authority));
            files.push(("ca/ca.key".to_owned(), InitFile::AuthorityKey));
        }
        for credential in &self.credentials {
            let user = credential.user.clone();
            files.push((credential.file(), InitFile::Context { user }));
        }
        let word = |path: &Path| shell_word(path).unwrap_or_else(|| path.display().to_string());
        let programs = Programs::here();
        let configuration = self.directory.join(CONFIGURATION);
        let is_service = self.is_root
            && self.directory == Path::new(MACHINE)
            && Path::new("/run/systemd/system").is_dir();
        let start = match is_service {
            true => "systemctl restart recado-server".to_owned(),
            false => format!("{} -c {}", programs.server, word(&configuration)),
        };
        let context = self.credentials.first().map(Credential::file);
        let context = self.directory.join(context.unwrap_or_default());
        // The name that others know the machine by need not lead to it from here.
        let server = match self.named_host {
            Some(_) => " --server nats://localhost:4222",
            None => "",
        };
        let client = programs.client;
        let told = InitText::Made {
            directory: self.directory.clone(),
            files,
            start,
            try_it: format!("{client} --context {}{server} ping", word(&context)),
        };
        told.text(self.lang)
    }
}

impl Credential {
    fn new(user: Option<String>) -> Result<Self, InitText> {
        let secret = new_secret();
        let hash = bcrypt::hash(&secret, BCRYPT_COST).map_err(|error| InitText::Certificate {
            error: error.to_string(),
        })?;
        Ok(Self { user, secret, hash })
    }

    /// Its file, from the directory on.
    fn file(&self) -> String {
        format!("clients/{}.json", self.user.as_deref().unwrap_or("client"))
    }
}

/// Text of the configuration language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn user_directory(surroundings: &dyn Surroundings) -> Option<PathBuf> {
    let absolute = |name| {
        let path = surroundings.variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let configuration = absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(configuration.join("recado-server"))
}

/// What the machine calls itself, if that can stand in a certificate.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let good = !name.is_empty() && name.len() <= 64 && name.bytes().all(plain);
    good.then(|| name.to_owned())
}
