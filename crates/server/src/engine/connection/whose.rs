//! Whose a connection is: by which door and from where it came, and whom it says or proved to be.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use recado_auth::ConnectionType;
use recado_wire::Connect;

use super::Connection;
use crate::engine::door::Way;
use crate::engine::front::Front;
use crate::engine::layers::Layers;
use crate::engine::tls::TlsFacts;

impl Connection {
    /// Layers between the client and its socket, also where something translates for it.
    pub(in crate::engine) fn outside_layers(&self) -> Option<&Layers> {
        match self.front() {
            Some(front) => front.outside.layers(),
            None => self.layers(),
        }
    }

    /// Whether it speaks WebSocket.
    pub(crate) fn is_websocket(&self) -> bool {
        self.outside_layers().is_some_and(Layers::is_websocket)
    }

    /// Who translates for it, if it speaks another protocol.
    pub(crate) fn front(&self) -> Option<&Front> {
        self.link.front()
    }

    /// The client identifier of one that speaks MQTT.
    pub(crate) fn mqtt_client(&self) -> Option<&str> {
        self.front().map(|front| &*front.client_id)
    }

    /// By which door it came.
    pub(crate) fn way(&self) -> Way {
        match self.front() {
            Some(_) => Way::Mqtt,
            None if self.awaits_mqtt() => Way::Mqtt,
            None if self.is_websocket() => Way::Websocket,
            None => Way::Clients,
        }
    }

    /// How it is connected.
    pub(crate) fn connection_type(&self) -> ConnectionType {
        match (self.way(), self.is_websocket()) {
            (Way::Mqtt, true) => ConnectionType::MqttWs,
            (Way::Mqtt, false) => ConnectionType::Mqtt,
            (_, true) => ConnectionType::Websocket,
            (_, false) => ConnectionType::Standard,
        }
    }

    /// Fills in what a CONNECT does not say and a cookie does.
    pub(in crate::engine) fn fill_in(&self, connect: &mut Connect) {
        if let Some(cookies) = self.outside_layers().and_then(Layers::cookies) {
            cookies.fill(connect);
        }
    }

    /// What is known of its TLS; `None` without.
    pub(crate) fn tls(&self) -> Option<&Arc<TlsFacts>> {
        self.outside_layers().and_then(|layers| layers.tls.as_ref())
    }

    /// The client's address to be shown, also where a proxy stands before it; `None` for a part of the server itself.
    /// Whoever decides anything by it asks for [`Connection::proved_address`].
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        if let Some(front) = self.front() {
            return front.outside.address();
        }
        let rare = self.rare.lock();
        let rare = rare.as_ref();
        let forwarded = || {
            let ip = rare?.forwarded_for?;
            Some(SocketAddr::new(ip, self.peer?.port()))
        };
        let behind = rare.and_then(|rare| rare.behind);
        behind.or_else(forwarded).or(self.peer)
    }

    /// The client's address as the socket or a proxy that is configured knows it, and not as the client may say.
    pub(in crate::engine) fn proved_address(&self) -> Option<SocketAddr> {
        if let Some(front) = self.front() {
            return front.outside.proved_address();
        }
        let behind = self.rare.lock().as_ref().and_then(|rare| rare.behind);
        behind.or(self.peer)
    }

    /// A proxy that is configured told whose the connection is.
    pub(in crate::engine) fn set_behind(&self, address: SocketAddr) {
        self.rare.lock().get_or_insert_default().behind = Some(address);
    }

    /// Its request says for whom it was forwarded.
    pub(in crate::engine) fn set_forwarded_for(&self, ip: IpAddr) {
        self.rare.lock().get_or_insert_default().forwarded_for = Some(ip);
    }

    /// It is to speak MQTT.
    pub(in crate::engine) fn set_awaits_mqtt(&self) {
        self.rare.lock().get_or_insert_default().awaits_mqtt = true;
    }

    fn awaits_mqtt(&self) -> bool {
        let rare = self.rare.lock();
        rare.as_ref().is_some_and(|rare| rare.awaits_mqtt)
    }

    /// INFO asks it to sign this.
    pub(in crate::engine) fn set_nonce(&self, nonce: Box<str>) {
        self.rare.lock().get_or_insert_default().nonce = Some(nonce);
    }

    /// What INFO asked it to sign, if anything.
    pub(in crate::engine) fn nonce(&self) -> Option<Box<str>> {
        self.rare.lock().as_ref()?.nonce.clone()
    }

    /// It was refused as this user.
    pub(in crate::engine) fn set_claimed(&self, user: &str) {
        self.rare.lock().get_or_insert_default().claimed = Some(user.into());
    }

    /// The user that it proved to be, or claimed to be where it was refused.
    pub(crate) fn user(&self) -> Option<String> {
        let proved = self.standing().identity.user.clone();
        proved.or_else(|| Some(self.rare.lock().as_ref()?.claimed.as_deref()?.to_owned()))
    }

    /// Address for logs.
    pub(crate) fn peer_text(&self) -> String {
        self.address()
            .map_or_else(|| "internal".to_owned(), |peer| peer.to_string())
    }

    /// The name the client gave itself, for logs.
    pub(crate) fn name(&self) -> &str {
        self.client
            .get()
            .and_then(|client| client.name.as_deref())
            .unwrap_or_default()
    }
}
