//! The program `recado-server`.

use recado_server::{Inherited, Server, config::Options};

fn main() {
    let mut options = Options::default();
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|a| a == "-p") {
        options.port = args[at + 1].parse().unwrap_or(0);
    }
    let server = Server::start(options, Inherited::default()).unwrap();
    println!("{}", server.client_addr());
    server.wait();
}
