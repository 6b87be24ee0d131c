//! What is in each of the two packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::tree::Tree;
use super::{needs, read_text, said, source, succeed};
use crate::{Failure, target_folder};

/// What both packages say of themselves.
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) architecture: String,
    /// Name and address, as Debian writes them.
    pub(super) maintainer: String,
    /// Seconds since 1970.
    pub(super) built: String,
}

/// One of the packages.
pub(super) struct Package {
    /// The package, and the program in it.
    name: &'static str,
    /// Section of the manual that its own page is in.
    section: u8,
    summary: &'static str,
    description: &'static str,
    relations: &'static [(&'static str, &'static str)],
    depends: &'static [&'static str],
    /// Files of the sources, and where they go.
    files: &'static [(&'static str, &'static str)],
    /// Files that dpkg asks about before it replaces what an administrator changed.
    conffiles: &'static [&'static str],
    scripts: &'static [&'static str],
    documents: &'static [&'static str],
}

pub(super) const SERVER: Package = Package {
    name: "recado-server",
    section: 8,
    summary: "messaging server for every NATS client",
    description: "\
Clients publish, subscribe, ask and answer in the NATS client protocol, so that
every NATS client library is its client. Durable streams, key-value buckets and
object stores are kept in JetStream's form; what is acknowledged is on disk.
.
As it is installed it serves clients of this machine alone.",
    relations: &[("Recommends", "recado")],
    depends: &["adduser", "init-system-helpers (>= 1.54)"],
    files: &[
        (
            "packaging/systemd/recado-server.service",
            "lib/systemd/system/recado-server.service",
        ),
        (
            "packaging/systemd/recado-server.socket",
            "lib/systemd/system/recado-server.socket",
        ),
        (
            "packaging/recado-server.conf",
            "etc/recado/recado-server.conf",
        ),
    ],
    conffiles: &["/etc/recado/recado-server.conf"],
    scripts: &["postinst", "prerm", "postrm"],
    documents: &[
        "README.md",
        "docs/configuration.md",
        "docs/streams.md",
        "docs/install.md",
        "docs/migrating-from-nats-server.md",
        "docs/examples/move_stream.py",
    ],
};

pub(super) const CLIENT: Package = Package {
    name: "recado",
    section: 1,
    summary: "client for NATS servers: send, listen, ask, answer, measure",
    description: "\
Publishes, subscribes, asks and answers from the command line and from scripts,
runs programs as services, manages streams, consumers and buckets, measures
round trips and rates, and finds out why a server can't be reached. Speaks to
recado-server and to every other NATS server.",
    relations: &[("Suggests", "recado-server")],
    depends: &[],
    files: &[],
    conffiles: &[],
    scripts: &[],
    documents: &["docs/client.md", "docs/failures.md"],
};

/// For whom `man`'s pages are written.
const LANGUAGES: [&str; 2] = ["en", "es"];
/// Where each shell looks for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/{program}"),
    ("zsh", "usr/share/zsh/vendor-completions/_{program}"),
    ("fish", "usr/share/fish/vendor_completions.d/{program}.fish"),
];

impl Package {
    /// Makes the package in the directory `out`.
    pub(super) fn make(
        &self,
        facts: &Facts,
        binaries: &Path,
        out: &Path,
        compression: &str,
    ) -> Result<PathBuf, Failure> {
        let (version, architecture) = (&facts.version, &facts.architecture);
        let file = out.join(format!("{}_{version}_{architecture}.deb", self.name));
        // Its own directory for each, so that two runs don't disturb each other.
        let work = out.join(format!(".{}-{version}-{}", self.name, std::process::id()));
        let mut tree = Tree::new(work.clone(), &facts.built)?;
        let program = binaries.join(self.name);
        tree.program(&format!("usr/bin/{}", self.name), &program)?;
        self.lay(&mut tree, &program, facts)?;
        tree.compress()?;
        self.describe(&tree, facts)?;
        tree.pack(&file, compression)?;
        std::fs::remove_dir_all(&work)
            .map_err(|error| format!("clearing {}: {error}", work.display()))?;
        Ok(file)
    }

    /// All but the program.
    fn lay(&self, tree: &mut Tree, program: &Path, facts: &Facts) -> Result<(), Failure> {
        for (from, to) in self.files {
            tree.file(to, read_text(&source(from))?.as_bytes())?;
        }
        for (shell, place) in COMPLETIONS {
            let script = said(asked(program).args(["completions", shell]))?;
            let place = place.replace("{program}", self.name);
            tree.file(&place, format!("{script}\n").as_bytes())?;
        }
        self.manual(tree, program)?;
        let documents = format!("usr/share/doc/{}", self.name);
        let copyright = read_text(&source("packaging/debian/copyright"))?;
        tree.file(&format!("{documents}/copyright"), copyright.as_bytes())?;
        let changelog = format!("{documents}/changelog");
        tree.document(&changelog, changes(self.name, facts)?.as_bytes())?;
        for document in self.documents {
            let text = read_text(&source(document))?;
            let name = document.rsplit('/').next().unwrap_or(document);
            tree.document(&format!("{documents}/{name}"), text.as_bytes())?;
        }
        Ok(())
    }

    /// The pages as the program itself writes them, in each language.
    fn manual(&self, tree: &mut Tree, program: &Path) -> Result<(), Failure> {
        let written = target_folder().join(format!("manual-{}-{}", self.name, std::process::id()));
        for language in LANGUAGES {
            let mut command = asked(program);
            command.args(["--lang", language, "man"]).arg(&written);
            succeed(&mut command)?;
        }
        let pages = said(
            Command::new("find")
                .arg(&written)
                .args(["-type", "f", "-printf", "%P\\n"]),
        )?;
        for page in pages.lines() {
            let text = read_text(&written.join(page))?;
            tree.document(&format!("usr/share/man/{page}"), text.as_bytes())?;
        }
        let own = format!("man{0}/{1}.{0}", self.section, self.name);
        if !pages.lines().any(|page| page == own) {
            return Err(format!("{} wrote no page {own}", program.display()));
        }
        std::fs::remove_dir_all(&written)
            .map_err(|error| format!("clearing {}: {error}", written.display()))
    }

    /// What dpkg reads.
    fn describe(&self, tree: &Tree, facts: &Facts) -> Result<(), Failure> {
        let program = tree.root().join("usr/bin").join(self.name);
        let mut depends = needs::depends(&program)?;
        depends.extend(self.depends.iter().map(|other| (*other).to_owned()));
        let mut control = format!(
            "Package: {}\nVersion: {}\nArchitecture: {}\n\
             Maintainer: {}\n\
             Installed-Size: {}\nSection: net\nPriority: optional\n",
            self.name,
            facts.version,
            facts.architecture,
            facts.maintainer,
            tree.kibibytes()?,
        );
        if !depends.is_empty() {
            control.push_str(&format!("Depends: {}\n", depends.join(", ")));
        }
        for (relation, others) in self.relations {
            control.push_str(&format!("{relation}: {others}\n"));
        }
        control.push_str(&format!("Description: {}\n", self.summary));
        for line in self.description.lines() {
            control.push_str(&format!(" {line}\n"));
        }
        tree.file("DEBIAN/control", control.as_bytes())?;
        if !self.conffiles.is_empty() {
            let conffiles = self.conffiles.join("\n") + "\n";
            tree.file("DEBIAN/conffiles", conffiles.as_bytes())?;
        }
        for script in self.scripts {
            let from = source(&format!("packaging/debian/{}.{script}", self.name));
            tree.executable(&format!("DEBIAN/{script}"), read_text(&from)?.as_bytes())?;
        }
        Ok(())
    }
}

/// The program, asked something; its answer must not depend on who builds the package.
fn asked(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("LC_ALL", "C.UTF-8")
        .env_remove("CARGO_PKG_NAME");
    command
}

/// Debian's form of a changelog, which names ours.
fn changes(package: &str, facts: &Facts) -> Result<String, Failure> {
    let date = said(
        Command::new("date")
            .args(["-Ru", "-d"])
            .arg(format!("@{}", facts.built)),
    )?;
    Ok(format!(
        "{package} ({}) unstable; urgency=medium\n\n  \
         * What changed is told in CHANGELOG.md of the sources.\n\n \
         -- {}  {date}\n",
        facts.version, facts.maintainer
    ))
}
