//! `users [ … ]`: by name and password, or by nkey.

use recado_auth::{ConnectionType, KeyKind, NameOrKey, PermissionsSpec};

use super::draft::Placed;
use super::field::Field;
use super::filled::{Block, Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::lists::{read_list, texts};
use super::read_block;
use super::shown::{Shown, Unset};
use super::{Findings, one_of, permissions};
use crate::config::access::UserOptions;
use crate::config::fault::Fault;
use crate::config::messages::AccessProblem;

/// The names of ways to connect.
pub(super) const CONNECTION_TYPES: &[&str] = &[
    "STANDARD",
    "WEBSOCKET",
    "LEAFNODE",
    "LEAFNODE_WS",
    "MQTT",
    "MQTT_WS",
    "IN_PROCESS",
];

#[derive(Clone, Copy)]
enum Key {
    Nkey,
    User,
    Password,
    Permissions,
    ConnectionTypes,
    ProxyRequired,
}

const KEYS: &Table<Key> = &[
    (&["nkey"], Sets(Key::Nkey)),
    (&["user", "username"], Sets(Key::User)),
    (&["password", "pass"], Sets(Key::Password)),
    (
        &["permissions", "permission", "authorization"],
        Sets(Key::Permissions),
    ),
    (
        &["allowed_connection_types", "connection_types", "clients"],
        Sets(Key::ConnectionTypes),
    ),
    (&["proxy_required"], Sets(Key::ProxyRequired)),
];

/// What `explain-config` shows of a user.
pub(super) fn parts() -> Parts {
    of_table(KEYS, |key| match key {
        Key::Nkey | Key::User => Part::IfWritten,
        Key::Password => Part::Beside(&["user", "username"], Shown::Unset(Unset::Nothing)),
        Key::Permissions => Part::InsideOr(Block::Permissions, "default_permissions"),
        Key::ConnectionTypes => Part::ANY,
        Key::ProxyRequired => Part::FALSE,
    })
}

/// What a user's block said.
#[derive(Default)]
struct Said {
    nkey: Option<String>,
    user: Option<String>,
    password: Option<String>,
    permissions: Option<PermissionsSpec>,
    connection_types: Vec<ConnectionType>,
    proxy_required: bool,
}

/// Reads the list; mistakes in it are added to `findings`.
pub(super) fn read(
    field: &Field<'_>,
    findings: &mut Findings,
) -> Result<Vec<Placed<UserOptions>>, Fault> {
    let mut users = Vec::new();
    read_list(field, findings, |one, findings| {
        users.push(read_one(one, findings)?);
        Ok(())
    })?;
    Ok(users)
}

fn read_one(field: &Field<'_>, findings: &mut Findings) -> Result<Placed<UserOptions>, Fault> {
    let mut said = Said::default();
    let mistakes = findings.errors.len();
    read_block(field.map()?, KEYS, findings, |key, inner, findings| {
        set(key, inner, &mut said, findings)
    });
    let name = match (said.nkey, said.user) {
        (Some(_), user) if user.is_some() || said.password.is_some() => {
            return Err(field.trouble(AccessProblem::NkeyWithPassword));
        }
        (Some(nkey), _) => NameOrKey::Nkey(nkey),
        (None, Some(user)) => NameOrKey::Name(user),
        // They may be there, and have been told to be wrong.
        (None, None) if findings.errors.len() > mistakes => {
            return Err(findings.errors.remove(mistakes));
        }
        (None, None) => return Err(field.trouble(AccessProblem::UserWithoutName)),
    };
    let user = UserOptions {
        name,
        password: said.password,
        permissions: said.permissions,
        connection_types: said.connection_types,
        proxy_required: said.proxy_required,
    };
    Ok(Placed::at(field, user))
}

fn set(key: Key, field: &Field<'_>, said: &mut Said, findings: &mut Findings) -> Result<(), Fault> {
    match key {
        Key::Nkey => said.nkey = Some(nkey(field, KeyKind::User)?),
        Key::User => said.user = Some(field.text()?.to_owned()),
        Key::Password => {
            // Without one the user can't log in by name (by certificate it can).
            let password = field.maybe_empty_text()?;
            said.password = Some(password.to_owned()).filter(|text| !text.is_empty());
        }
        Key::Permissions => said.permissions = Some(permissions::read(field, findings)?),
        Key::ConnectionTypes => said.connection_types = connection_types(field, findings)?,
        Key::ProxyRequired => said.proxy_required = field.boolean()?,
    }
    Ok(())
}

/// A public nkey of this kind.
pub(super) fn nkey(field: &Field<'_>, kind: KeyKind) -> Result<String, Fault> {
    let text = field.text()?;
    if KeyKind::of(text) == Some(kind) {
        return Ok(text.to_owned());
    }
    let value = text.to_owned();
    Err(field.trouble(AccessProblem::BadNkey { value, kind }))
}

fn connection_types(
    field: &Field<'_>,
    findings: &mut Findings,
) -> Result<Vec<ConnectionType>, Fault> {
    let names = texts(field, findings)?;
    let parsed = names.iter().map(|name| {
        ConnectionType::parse(name)
            .ok_or_else(|| field.fault(one_of(field.key, CONNECTION_TYPES, name)))
    });
    parsed.collect()
}
