//! How clients come in: over TLS, right and wrong, through proxies, and over WebSocket.

mod certificates;
mod client;
mod ocsp;
mod proxy;
mod responder;
mod tls;
mod watching;
mod websocket;
