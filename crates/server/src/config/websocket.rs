//! What the listener for WebSocket clients can be told; reference rows B13 to B16.

use std::time::Duration;

use super::options::Authorization;
use super::tls::TlsOptions;

/// `websocket { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct WebsocketOptions {
    /// Address or host name to listen on. `None`: where the other clients are listened for.
    pub host: Option<String>,
    /// TCP port; 0 picks a free one.
    pub port: u16,
    /// `host[:port]` that WebSocket clients are told to connect to.
    pub advertise: Option<String>,
    /// Serve in clear. Without it there must be `tls`.
    pub no_tls: bool,
    /// TLS.
    pub tls: Option<TlsOptions>,
    /// Compress messages for clients that can do it.
    pub compression: bool,
    /// Only pages of this very host and port may connect.
    pub same_origin: bool,
    /// Only pages of these origins may connect; empty: any.
    pub allowed_origins: Vec<String>,
    /// Cookie that holds the user's JWT.
    pub jwt_cookie: Option<String>,
    /// Cookie that holds the user's name.
    pub user_cookie: Option<String>,
    /// Cookie that holds the password.
    pub pass_cookie: Option<String>,
    /// Cookie that holds a token.
    pub token_cookie: Option<String>,
    /// Headers of the answer to an upgrade.
    pub headers: Vec<(String, String)>,
    /// Time from accept to the end of the upgrade.
    pub handshake_timeout: Duration,
    /// Time between keep-alive PINGs; `None`: that of other clients.
    pub ping_interval: Option<Duration>,
    /// A token or a user that is asked for here, whatever is asked for elsewhere, and the time to present it.
    pub authorization: Authorization,
    /// Who those are that present nothing here.
    pub no_auth_user: Option<String>,
}

impl WebsocketOptions {
    /// Whether other credentials are asked for here than elsewhere (C18).
    pub fn has_own_access(&self) -> bool {
        let authorization = &self.authorization;
        authorization.token.is_some() || authorization.user.is_some() || self.no_auth_user.is_some()
    }
}

impl Default for WebsocketOptions {
    fn default() -> Self {
        Self {
            host: None,
            port: 0,
            advertise: None,
            no_tls: false,
            tls: None,
            compression: false,
            same_origin: false,
            allowed_origins: Vec::new(),
            jwt_cookie: None,
            user_cookie: None,
            pass_cookie: None,
            token_cookie: None,
            headers: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            ping_interval: None,
            authorization: Authorization::default(),
            no_auth_user: None,
        }
    }
}
