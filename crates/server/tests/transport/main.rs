//! How clients come in: over TLS, right and wrong, and through proxies.

mod certificates;
mod client;
mod proxy;
mod tls;
