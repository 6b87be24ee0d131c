//! Logins that a service decides on: auth callout (C14, ADR-26).
//!
//! Pure: what to ask comes out as bytes, the answer goes in. Chance is an argument. Each question is about a user key
//! that was made for it alone, so that an answer is good for one login. A decision that is not this server's alone is a
//! denial with [`Reason::Referred`]: whoever does not ask lets nobody in.

use std::sync::Arc;

use nkeys::{KeyPair, KeyPairType, XKey};

use crate::identity::{AccountName, DEFAULT_ACCOUNT, Denied, Identity, Method, Reason, UserLimits};
use crate::jwt::{
    AccountClaims, Claims, ClientInfo, ClientTls, ConnectOptions, InvalidToken, RequestClaims,
    ResponseClaims, ServerInfo, UserClaims, UtcOffset, sign,
};
use crate::login::{ConnectionType, ConnectionTypes, Login};
use crate::operator::{Operator, terms_permissions};
use crate::permissions::{InvalidPermissions, Permissions, PermissionsSpec};

/// Where the service is asked. Only the server may publish there.
pub const CALLOUT_SUBJECT: &str = "$SYS.REQ.USER.AUTH";
/// The audience of a question.
pub const CALLOUT_AUDIENCE: &str = "nats-authorization-request";
/// The header that brings the server's public curve key.
pub const CALLOUT_XKEY_HEADER: &str = "Nats-Server-Xkey";

/// How a token begins; an answer that does not is encrypted.
const TOKEN_START: &[u8] = b"eyJ";
/// Any account.
const ANY: &str = "*";

/// A service that decides on logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// Who signs users: the configured issuer, or the account itself in operator mode.
    issuer: String,
    account: AccountName,
    auth_users: Vec<String>,
    xkey: Option<String>,
    allowed_accounts: Vec<String>,
    /// Accounts that users may be placed in, but in operator mode.
    accounts: Vec<String>,
    operator_mode: bool,
}

/// The service, as it was configured.
#[derive(Clone, Debug, Default)]
pub struct CalloutOptions {
    /// Public nkey of the account that signs users.
    pub issuer: String,
    /// The account that the service is connected in.
    pub account: String,
    /// Users that are not asked about.
    pub auth_users: Vec<String>,
    /// Public curve key that questions are encrypted for.
    pub xkey: Option<String>,
    /// Accounts whose users are asked about; empty: all.
    pub allowed_accounts: Vec<String>,
    /// All accounts that there are: the service may place users in any.
    pub accounts: Vec<String>,
}

/// What a question is made of.
pub struct Question<'a> {
    /// The login.
    pub login: &'a Login<'a>,
    /// The server.
    pub server: ServerInfo,
    /// The client.
    pub client: ClientInfo,
    /// Its encryption.
    pub tls: Option<ClientTls>,
    /// The server's key, to sign with.
    pub key: &'a KeyPair,
    /// The server's curve key, where questions are encrypted.
    pub curve_key: &'a XKey,
    /// How long the client has to log in, in seconds.
    pub timeout_s: u64,
    /// Chance for the user key.
    pub user_seed: [u8; 32],
    /// Chance for the encryption.
    pub nonce: [u8; 24],
}

/// What to publish, and what the answer must fit.
pub struct Asked {
    /// The payload.
    pub payload: Vec<u8>,
    /// Value of [`CALLOUT_XKEY_HEADER`], where the payload is encrypted.
    pub xkey: Option<String>,
    user_key: String,
    server_id: String,
}

/// Where an answer is judged.
pub struct Court<'a> {
    /// The server's curve key.
    pub curve_key: &'a XKey,
    /// The accounts, in operator mode.
    pub operator: Option<&'a Operator>,
    /// Whether a trusted proxy vouches for the client's way.
    pub proxied: bool,
    /// Time zones.
    pub utc_offset: UtcOffset,
    /// Seconds since 1970.
    pub now_s: u64,
}

impl Callout {
    /// The service of a server that has users in its configuration.
    pub fn configured(options: CalloutOptions) -> Self {
        Self {
            issuer: options.issuer,
            account: options.account.into(),
            auth_users: options.auth_users,
            xkey: options.xkey,
            allowed_accounts: options.allowed_accounts,
            accounts: options.accounts,
            operator_mode: false,
        }
    }

    /// The service of an account in operator mode, if it has one.
    pub fn of_account(account: &Claims<AccountClaims>) -> Option<Self> {
        let external = &account.nats.authorization;
        (!external.auth_users.is_empty()).then(|| Self {
            issuer: account.subject.clone(),
            account: account.subject.as_str().into(),
            auth_users: external.auth_users.clone(),
            xkey: Some(external.xkey.clone()).filter(|key| !key.is_empty()),
            allowed_accounts: external.allowed_accounts.clone(),
            accounts: Vec::new(),
            operator_mode: true,
        })
    }

    /// The account to ask in.
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// Whether the service has the last word on a login that was decided so. Who is unknown here is asked about, too; in
    /// operator mode the claims must hold first.
    pub fn concerns(&self, login: &Login<'_>, decided: &Result<Identity, Denied>) -> bool {
        match decided {
            Ok(who) => {
                let name = who.user.as_deref().unwrap_or_default();
                !self.is_auth_user(name) && self.is_in_scope(&who.account)
            }
            Err(denied) => {
                let by_proxy = matches!(
                    denied.reason,
                    Reason::ProxyNotTrusted | Reason::ProxyRequired
                );
                !self.operator_mode && !by_proxy && !self.is_auth_user(claimed(login))
            }
        }
    }

    fn is_auth_user(&self, name: &str) -> bool {
        self.auth_users.iter().any(|user| user == name)
    }

    fn is_in_scope(&self, account: &str) -> bool {
        self.operator_mode
            || account == DEFAULT_ACCOUNT
            || self.allowed_accounts.is_empty()
            || self
                .allowed_accounts
                .iter()
                .any(|allowed| allowed == account)
    }

    /// What a decision comes to where this service may have the last word: a referral to it, or the decision, with what
    /// members of the service's account may not do taken from them.
    pub(crate) fn reviewed(
        self: &Arc<Self>,
        login: &Login<'_>,
        decided: Result<Identity, Denied>,
    ) -> Result<Identity, Denied> {
        if self.concerns(login, &decided) {
            return Err(Denied {
                reason: Reason::Referred(Arc::clone(self)),
                claimed: Some(claimed(login).to_owned()).filter(|name| !name.is_empty()),
            });
        }
        self.guarded(decided?)
    }

    /// Whether somebody whom this service let in before would be let in with the same words today: the service's keys
    /// and accounts are still the same.
    pub fn stands_by(&self, who: &Identity, operator: Option<&Operator>) -> bool {
        let signer = who.issuer_key.as_deref().unwrap_or_default();
        if who.method != Method::Callout {
            return false;
        }
        match operator.filter(|_| self.operator_mode) {
            None => signer == self.issuer && self.is_known(&who.account),
            Some(operator) => {
                let account = operator.account(&who.account);
                self.may_place_in(&who.account)
                    && account.is_some_and(|account| account.signer(signer).is_some())
            }
        }
    }

    /// What is asked.
    ///
    /// # Errors
    /// When the key can't sign, or the service's curve key is none.
    pub fn ask(&self, question: Question<'_>) -> Result<Asked, Denied> {
        let failed = |why: &str| Denied::of(Reason::Callout(why.to_owned()));
        let user = KeyPair::new_from_raw(KeyPairType::User, question.user_seed)
            .map_err(|_| failed("no user key could be made"))?;
        let user_key = user.public_key();
        let login = question.login;
        let mut client_info = question.client;
        if login.connect.sig.is_some() {
            client_info.nonce = String::from_utf8_lossy(login.nonce).into_owned();
        }
        let mut server_id = question.server;
        if self.xkey.is_some() {
            server_id.xkey = question.curve_key.public_key();
        }
        let id = server_id.id.clone();
        let expires_s = login.now_s.saturating_add(question.timeout_s.max(1));
        let mut claims = Claims {
            audience: CALLOUT_AUDIENCE.to_owned(),
            subject: self.issuer.clone(),
            expires_s: i64::try_from(expires_s).unwrap_or(i64::MAX),
            nats: RequestClaims {
                server_id,
                user_nkey: user_key.clone(),
                client_info,
                connect_opts: ConnectOptions::from(login.connect),
                client_tls: question.tls,
                kind: "authorization_request",
                version: 2,
            },
            ..Claims::default()
        };
        let token = sign(&mut claims, question.key, login.now_s);
        let token = token.map_err(|why| failed(&why.to_string()))?;
        let (payload, xkey) = match &self.xkey {
            None => (token.into_bytes(), None),
            Some(theirs) => {
                let theirs = XKey::from_public_key(theirs);
                let theirs = theirs.map_err(|_| failed("the service's xkey is none"))?;
                let sealed = question.curve_key.seal_with_nonce(
                    token.as_bytes(),
                    &theirs,
                    question.nonce.into(),
                );
                let sealed = sealed.map_err(|_| failed("the question can't be encrypted"))?;
                (sealed, Some(question.curve_key.public_key()))
            }
        };
        Ok(Asked {
            payload,
            xkey,
            user_key,
            server_id: id,
        })
    }

    /// Judges an answer. [`Reason::UnknownAccount`] says that the account that comes of it is not known.
    pub fn judge(
        &self,
        asked: &Asked,
        answer: &[u8],
        login: &Login<'_>,
        court: &Court<'_>,
    ) -> Result<Identity, Denied> {
        let judged = self.judged(asked, answer, login, court);
        let who = judged.map_err(|reason| Denied {
            reason,
            claimed: Some(claimed(login).to_owned()).filter(|name| !name.is_empty()),
        })?;
        let theirs = court
            .operator
            .and_then(|operator| operator.callout_of(&who.account));
        match theirs {
            Some(theirs) => theirs.guarded(who),
            None => self.guarded(who),
        }
    }

    fn judged(
        &self,
        asked: &Asked,
        answer: &[u8],
        login: &Login<'_>,
        court: &Court<'_>,
    ) -> Result<Identity, Reason> {
        let failed = |why: &str| Reason::Callout(why.to_owned());
        if answer.is_empty() {
            return Err(failed("the service gave no reason"));
        }
        let (text, encrypted) = self.opened(answer, court)?;
        let response = Claims::<ResponseClaims>::decode_response(&text).map_err(of_token)?;
        response.check_time(court.now_s).map_err(of_token)?;
        if response.subject != asked.user_key {
            return Err(failed("the answer is about another user"));
        }
        if response.audience != asked.server_id {
            return Err(failed("the answer is for another server"));
        }
        if !response.nats.error.is_empty() {
            return Err(failed(&format!(
                "the service says: {}",
                response.nats.error
            )));
        }
        if let Some(operator) = court.operator.filter(|_| self.operator_mode && !encrypted) {
            self.check_signer(&response, operator)?;
        }
        let user = Claims::decode_user(&response.nats.jwt).map_err(of_token)?;
        user.check_time(court.now_s).map_err(of_token)?;
        if user.subject != asked.user_key {
            return Err(failed("the user's JWT is about another user"));
        }
        self.admit(&user, login, court)
    }

    /// The token, and whether it was encrypted.
    fn opened(&self, answer: &[u8], court: &Court<'_>) -> Result<(String, bool), Reason> {
        let failed = |why: &str| Reason::Callout(why.to_owned());
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).map_err(|_| failed("the answer is not a JWT"))
        };
        let theirs = match &self.xkey {
            Some(theirs) if !answer.starts_with(TOKEN_START) => theirs,
            _ => return Ok((text(answer.to_vec())?, false)),
        };
        let theirs = XKey::from_public_key(theirs).map_err(|_| failed("the xkey is none"))?;
        let opened = court.curve_key.open(answer, &theirs);
        let opened = opened.map_err(|_| failed("the answer can't be decrypted"))?;
        Ok((text(opened)?, true))
    }

    fn check_signer(
        &self,
        response: &Claims<ResponseClaims>,
        operator: &Operator,
    ) -> Result<(), Reason> {
        let account = operator.account(&self.account);
        let account = account.ok_or_else(|| Reason::UnknownAccount(self.account.clone()))?;
        let named = &response.nats.issuer_account;
        let fits = named.is_empty() || *named == account.subject;
        match fits && account.signer(&response.issuer).is_some() {
            true => Ok(()),
            false => Err(Reason::UnknownSigner),
        }
    }

    /// Who the service says that it is.
    fn admit(
        &self,
        user: &Claims<UserClaims>,
        login: &Login<'_>,
        court: &Court<'_>,
    ) -> Result<Identity, Reason> {
        let failed = |why: &str| Reason::Callout(why.to_owned());
        let claims = &user.nats;
        if claims.proxy_required && !court.proxied {
            return Err(Reason::ProxyRequired);
        }
        let types: ConnectionTypes = claims
            .allowed_connection_types
            .iter()
            .filter_map(|name| ConnectionType::parse(name))
            .collect();
        if !claims.allowed_connection_types.is_empty() && !types.contains(login.transport) {
            return Err(Reason::ConnectionType(login.transport.name()));
        }
        if !claims.limits.allows_source(login.peer) {
            return Err(Reason::Source);
        }
        let until = claims.limits.allowed_until_s(court.now_s, court.utc_offset);
        let until_s = until.map_err(|()| Reason::TimeOfDay)?;
        let (account, permissions, account_expires_s) = match court.operator {
            Some(operator) if self.operator_mode => self.placed_by_operator(user, operator)?,
            _ => {
                if !claims.issuer_account.is_empty() {
                    return Err(failed("issuer_account is for operator mode only"));
                }
                if user.issuer != self.issuer {
                    return Err(failed("the user's JWT is not signed by the issuer"));
                }
                if user.audience.is_empty() {
                    return Err(failed("the user's JWT names no account (aud)"));
                }
                let account = AccountName::from(user.audience.as_str());
                if !self.is_known(&account) {
                    return Err(Reason::UnknownAccount(account));
                }
                (account, claims.permissions.spec(), None)
            }
        };
        let permissions = compiled(permissions)?;
        let name = match user.name.as_str() {
            "" => user.subject.clone(),
            name => name.to_owned(),
        };
        Ok(Identity {
            user: Some(name),
            permissions,
            expires_s: [user.expiry_s(), until_s].into_iter().flatten().min(),
            account_expires_s,
            limits: bounds(claims),
            issuer_key: Some(user.issuer.clone()),
            name_tag: Some(user.name.clone()).filter(|name| !name.is_empty()),
            tags: claims.tags.clone(),
            ..Identity::new(Method::Callout, account)
        })
    }

    /// Account and permissions in operator mode: the user's claims name the account, which must be this one or allowed.
    fn placed_by_operator(
        &self,
        user: &Claims<UserClaims>,
        operator: &Operator,
    ) -> Result<(AccountName, Option<PermissionsSpec>, Option<u64>), Reason> {
        let name = user.account();
        if !self.may_place_in(name) {
            return Err(Reason::AccountNotServed);
        }
        let account = operator.account(name);
        let account = account.ok_or_else(|| Reason::UnknownAccount(name.into()))?;
        let spec = terms_permissions(user, &account)?;
        Ok((name.into(), spec, account.expiry_s()))
    }

    fn is_known(&self, account: &str) -> bool {
        self.accounts.iter().any(|known| known == account)
    }

    fn may_place_in(&self, account: &str) -> bool {
        let may = |allowed: &String| allowed == ANY || allowed == account;
        *account == *self.account || self.allowed_accounts.iter().any(may)
    }

    fn guarded(&self, who: Identity) -> Result<Identity, Denied> {
        self.guard(who).map_err(|why| {
            Denied::of(Reason::Callout(format!(
                "its permissions mean nothing: {why}"
            )))
        })
    }

    /// Takes from members of the service's account the right to publish where the service is asked.
    ///
    /// # Errors
    /// When the permissions can't be made, which those that were made before can.
    fn guard(&self, mut who: Identity) -> Result<Identity, InvalidPermissions> {
        if who.account == self.account {
            let mut spec = match &who.permissions {
                Some(permissions) => permissions.spec().clone(),
                None => PermissionsSpec::default(),
            };
            spec.publish.deny.push(CALLOUT_SUBJECT.to_owned());
            who.permissions = Some(Permissions::new(spec)?.into());
        }
        Ok(who)
    }
}

/// What the user is held to. Services write claims by hand, and leave out what does not matter: 0 is no bound here.
fn bounds(claims: &UserClaims) -> UserLimits {
    let UserLimits {
        max_subscriptions,
        max_payload,
    } = claims.limits.bounds();
    UserLimits {
        max_subscriptions: max_subscriptions.filter(|most| *most > 0),
        max_payload: max_payload.filter(|most| *most > 0),
    }
}

/// Who a client claims to be.
fn claimed<'a>(login: &Login<'a>) -> &'a str {
    let connect = login.connect;
    let said = [&connect.nkey, &connect.user];
    let mut said = said.into_iter().filter_map(|text| text.as_deref());
    said.find(|text| !text.is_empty()).unwrap_or_default()
}

fn of_token(why: InvalidToken) -> Reason {
    Reason::Callout(format!("a JWT in the answer is not accepted: {why}"))
}

fn compiled(spec: Option<PermissionsSpec>) -> Result<Option<std::sync::Arc<Permissions>>, Reason> {
    let made = spec.map(Permissions::new).transpose();
    let made = made.map_err(|why| of_token(InvalidToken::Invalid(why.to_string())))?;
    Ok(made.map(Into::into))
}

#[cfg(test)]
#[path = "callout_tests.rs"]
mod tests;
