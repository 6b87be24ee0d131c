//! Relays between a client and a real server: one that speaks TLS to the client, one that loses messages.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use async_nats::rustls::ServerConfig;
use async_nats::rustls::pki_types::PrivatePkcs8KeyDer;
use rcgen::{CertificateParams, KeyPair};
use recado_wire::{ServerFrame, ServerParsed, parse_server_frame};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsAcceptor;

/// A relay that speaks TLS to clients. It lives as long as the test program.
pub(crate) struct Secured {
    /// Where clients connect.
    pub(crate) url: String,
    /// What a client must trust to get in.
    pub(crate) authority: NamedTempFile,
}

/// A server's side of TLS for these names, and what a client must trust to get in. `adjust` changes the
/// certificate before it is signed.
pub(crate) fn self_signed(
    names: &[&str],
    adjust: impl Fn(&mut CertificateParams),
) -> (ServerConfig, NamedTempFile) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    adjust(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let authority = NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), certificate.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (config, authority)
}

/// Puts TLS in front of `server`.
pub(crate) fn secured(server: SocketAddr) -> Secured {
    let (config, authority) = self_signed(&["localhost"], |_| {});
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://localhost:{}", listener.local_addr().unwrap().port());
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                // Its errors are those of the client, which is what the tests look at.
                tokio::spawn(async move { relay(client, server, &acceptor).await });
            }
        });
    });
    Secured { url, authority }
}

/// The greeting in the clear, asking for TLS; all that follows through it.
async fn relay(
    mut client: tokio::net::TcpStream,
    server: SocketAddr,
    acceptor: &TlsAcceptor,
) -> std::io::Result<()> {
    let mut server = BufReader::new(tokio::net::TcpStream::connect(server).await?);
    let mut greeting = String::new();
    server.read_line(&mut greeting).await?;
    let greeting = greeting.replacen('{', "{\"tls_required\":true,", 1);
    client.write_all(greeting.as_bytes()).await?;
    let mut client = acceptor.accept(client).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Puts a relay in front of `server` that swallows the `lost`th message to each client, and returns its URL.
pub(crate) fn losing(server: SocketAddr, lost: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let behind = TcpStream::connect(server).unwrap();
            let (mut from_client, mut to_server) =
                (client.try_clone().unwrap(), behind.try_clone().unwrap());
            std::thread::spawn(move || {
                // Either side may go at any time: then the other is told.
                let _ = std::io::copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || pass_all_but(lost, behind, client));
        }
    });
    url
}

fn pass_all_but(lost: u64, mut server: TcpStream, mut client: TcpStream) {
    let (mut input, mut chunk, mut messages) = (Vec::new(), [0; 64 * 1024], 0);
    while let Ok(count @ 1..) = server.read(&mut chunk) {
        input.extend_from_slice(&chunk[..count]);
        let (mut at, mut passed) = (0, Vec::new());
        while let ServerParsed::Complete(frame, length) = parse_server_frame(&input[at..]) {
            messages += u64::from(matches!(frame, ServerFrame::Message { .. }));
            let is_lost = messages == lost && matches!(frame, ServerFrame::Message { .. });
            if !is_lost {
                passed.extend_from_slice(&input[at..at + length]);
            }
            at += length;
        }
        input.drain(..at);
        if client.write_all(&passed).is_err() {
            return;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
