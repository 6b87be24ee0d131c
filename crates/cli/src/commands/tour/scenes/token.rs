//! Step 7: a server that wants a token, a wrong one and the right one.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::super::cast::{Actor, Cast};
use super::super::narrator::Narrator;
use super::super::server::{Personality, free_port};
use super::Stage;
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::{failures, tour as text};

/// Holds the right token.
const RIGHT: &str = "recado.token";

/// nats-server reads its token from here.
const CONFIG: &str = "token.conf";

/// Asks with a wrong token, then comes with the right one. The second server is handed on.
pub(in super::super) async fn refused(stage: &mut Stage<'_>) -> Result<Actor, Failure> {
    let (narrator, cast) = stage;
    narrator.step(text::title_token()).await?;
    write(
        &cast.dir().join(text::old_token()),
        "an old or mistyped token",
    )
    .map_err(unable)?;
    let port = free_port().map_err(unable)?;
    let mut server = guarded(narrator, cast, port).await?;
    server.announces(narrator, port).await?;
    let url = format!("nats://127.0.0.1:{port}");
    let ask = ["request", text::subject(), text::hello()];
    let wrong = [
        &ask[..],
        &["--server", &url, "--token-file", text::old_token()],
    ]
    .concat();
    let mut wrong = cast.client(narrator, &wrong)?;
    wrong.ends(narrator, Status::Authentication).await?;
    let right = [
        "ping",
        "--count",
        "1",
        "--server",
        &url,
        "--token-file",
        RIGHT,
    ];
    let mut right = cast.client(narrator, &right)?;
    right
        .says(
            narrator,
            &crate::text::ping::pong(1, &format!("127.0.0.1:{port}"), ""),
        )
        .await?;
    right.ends_quietly(narrator, Status::Done).await?;
    narrator.explain(text::why_token())?;
    Ok(server)
}

/// A server that lets in only who has the token in [`RIGHT`].
async fn guarded(narrator: &mut Narrator, cast: &mut Cast, port: u16) -> Result<Actor, Failure> {
    match cast.personality() {
        Personality::Recado => {
            let mut making = cast.server_chore(narrator, &["token", "new", RIGHT])?;
            making.says(narrator, RIGHT).await?;
            making.ends_quietly(narrator, Status::Done).await?;
            cast.server(narrator, port, &["--token-file", RIGHT])
        }
        Personality::Nats => {
            let token = random_token().map_err(unable)?;
            write(&cast.dir().join(RIGHT), &token).map_err(unable)?;
            let config = format!("authorization {{ token: \"{token}\" }}\n");
            write(&cast.dir().join(CONFIG), &config).map_err(unable)?;
            narrator.explain(&text::token_config(CONFIG, RIGHT))?;
            cast.server(narrator, port, &["-c", CONFIG])
        }
    }
}

fn random_token() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a file that only its owner can read.
fn write(path: &Path, content: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)?.write_all(content.as_bytes())
}

fn unable(error: std::io::Error) -> Failure {
    Failure::Local {
        what: failures::machine_failed(&error.to_string()),
        next: failures::machine_failed_next().to_owned(),
    }
}
