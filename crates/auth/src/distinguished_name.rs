//! Subjects of certificates, as RFC 4514 writes them: `CN=ana,OU=ventas,O=example`.

use std::fmt::Write as _;

/// Most attributes of one name that is looked at.
const ATTRIBUTES_MAX: usize = 64;

/// The types that have a name, and their object identifiers.
const TYPES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.17", "POSTALCODE"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// A distinguished name. Its parts stand in the order of RFC 4514, which is the reverse of a certificate's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName(Vec<Vec<Attribute>>);

/// One attribute: `CN=ana`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its type: a known name in capitals, or an object identifier in dots.
    pub kind: String,
    /// Its value.
    pub value: String,
}

impl Attribute {
    /// An attribute of a certificate, whose type is an object identifier (`2.5.4.3`).
    pub fn of_certificate(identifier: &str, value: &str) -> Self {
        let known = TYPES.iter().find(|(known, _)| *known == identifier);
        Self {
            kind: known.map_or(identifier, |(_, name)| name).to_owned(),
            value: value.to_owned(),
        }
    }

    fn is_equal(&self, other: &Self) -> bool {
        self.kind.eq_ignore_ascii_case(&other.kind) && self.value == other.value
    }
}

impl DistinguishedName {
    /// The subject of a certificate, its parts in the certificate's order.
    pub fn of_certificate(mut parts: Vec<Vec<Attribute>>) -> Self {
        parts.retain(|part| !part.is_empty());
        parts.reverse();
        Self(parts)
    }

    /// Reads the text form; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![Vec::new()];
        let mut count = 0;
        let mut rest = text;
        while !rest.trim_start_matches(' ').is_empty() {
            let (kind, value) = rest.split_once('=')?;
            let kind = kind.trim_matches(' ');
            if kind.is_empty() || kind.contains([',', '+', '\\']) || value.starts_with('#') {
                return None;
            }
            let (value, behind) = read_value(value)?;
            let attribute = Attribute {
                kind: kind.to_ascii_uppercase(),
                value,
            };
            parts.last_mut()?.push(attribute);
            count += 1;
            if count > ATTRIBUTES_MAX {
                return None;
            }
            rest = match behind.split_at_checked(1) {
                Some((",", after)) => {
                    parts.push(Vec::new());
                    after
                }
                Some(("+", after)) => after,
                _ => break,
            };
        }
        parts.retain(|part| !part.is_empty());
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// Whether there is no part.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all types have names: of others nats-server makes no name that could be compared.
    pub(crate) fn is_common(&self) -> bool {
        let known = |kind: &str| {
            TYPES
                .iter()
                .any(|(_, name)| name.eq_ignore_ascii_case(kind))
        };
        self.0
            .iter()
            .flatten()
            .all(|attribute| known(&attribute.kind))
            && self.0.iter().flatten().count() <= ATTRIBUTES_MAX
    }

    /// Whether both have the same parts in the same order.
    pub(crate) fn is_equal(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(one, two)| same_part(one, two))
    }

    /// Whether both have the same parts.
    pub(crate) fn is_equal_in_any_order(&self, other: &Self) -> bool {
        let mut left: Vec<_> = other.0.iter().collect();
        self.0.len() == other.0.len()
            && self.0.iter().all(|part| {
                let place = left.iter().position(|candidate| same_part(part, candidate));
                place.map(|place| left.swap_remove(place)).is_some()
            })
    }

    /// As text, without domain components.
    pub fn text(&self) -> String {
        self.text_of(|attribute| attribute.kind != "DC")
    }

    /// As text, with the domain components behind the rest; `None` if there are none.
    pub(crate) fn text_with_domain(&self) -> Option<String> {
        // In the certificate's order, as nats-server appends them.
        let parts = self.0.iter().rev().flatten();
        let domain: Vec<_> = parts
            .filter(|attribute| attribute.kind == "DC")
            .map(|attribute| format!("DC={}", attribute.value))
            .collect();
        let name = self.text();
        let all = std::iter::once(name).filter(|name| !name.is_empty());
        (!domain.is_empty()).then(|| all.chain(domain).collect::<Vec<_>>().join(","))
    }

    fn text_of(&self, shown: impl Fn(&Attribute) -> bool) -> String {
        let part = |attributes: &Vec<Attribute>| {
            let texts: Vec<_> = attributes
                .iter()
                .filter(|a| shown(a))
                .map(text_of)
                .collect();
            texts.join("+")
        };
        let parts: Vec<_> = self.0.iter().map(part).filter(|p| !p.is_empty()).collect();
        parts.join(",")
    }
}

/// A value up to `,` or `+`, with its escapes resolved, and what is behind it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let mut value = Vec::new();
    // Where the last character that is not a trailing space ends.
    let mut kept = 0;
    let mut bytes = text.trim_start_matches(' ').bytes();
    let mut behind = text.len();
    let skipped = text.len() - bytes.len();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' | b'+' => {
                behind = text.len() - bytes.len() - 1;
                break;
            }
            b'\\' => {
                value.push(unescaped(&mut bytes)?);
                kept = value.len();
            }
            b' ' => value.push(b' '),
            byte => {
                value.push(byte);
                kept = value.len();
            }
        }
    }
    value.truncate(kept);
    debug_assert!(
        behind >= skipped,
        "what is behind a value lies behind its start"
    );
    Some((String::from_utf8(value).ok()?, text.get(behind..)?))
}

/// What stands behind a backslash: a special character, or two hexadecimal digits.
fn unescaped(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = bytes.next()?;
    if b" \"#+,;<=>\\".contains(&first) {
        return Some(first);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (high, low) = (digit(first)?, digit(bytes.next()?)?);
    u8::try_from(high * 16 + low).ok()
}

/// `CN=value`, special characters escaped.
fn text_of(attribute: &Attribute) -> String {
    let mut text = format!("{}=", attribute.kind);
    let last = attribute.value.chars().count().saturating_sub(1);
    for (at, letter) in attribute.value.chars().enumerate() {
        let escaped = match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        let _ = write!(text, "{}{letter}", if escaped { "\\" } else { "" });
    }
    text
}

/// Whether two parts have the same attributes, in any order.
fn same_part(one: &[Attribute], other: &[Attribute]) -> bool {
    let within = |inner: &[Attribute], outer: &[Attribute]| {
        inner.iter().all(|a| outer.iter().any(|b| a.is_equal(b)))
    };
    one.len() == other.len() && within(one, other) && within(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: &str, value: &str) -> Attribute {
        Attribute {
            kind: kind.into(),
            value: value.into(),
        }
    }

    #[test]
    fn escapes_and_spaces_are_resolved() {
        let read = DistinguishedName::parse(r"cn= ana\, eva \ , o=a\2bb+OU=x").unwrap();
        assert_eq!(
            read.0,
            vec![
                vec![attribute("CN", "ana, eva  ")],
                vec![attribute("O", "a+b"), attribute("OU", "x")],
            ]
        );
    }

    #[test]
    fn what_is_no_name_is_not_read() {
        for bad in [
            "", "ana", "=x", "CN=#04", r"CN=a\", r"CN=a\zz", "CN=a,b", "a,CN=b",
        ] {
            assert_eq!(DistinguishedName::parse(bad), None, "{bad}");
        }
        let many = vec!["CN=a"; ATTRIBUTES_MAX + 1].join(",");
        assert_eq!(DistinguishedName::parse(&many), None);
    }

    #[test]
    fn a_certificates_subject_is_told_from_its_end() {
        let subject = DistinguishedName::of_certificate(vec![
            vec![Attribute::of_certificate("2.5.4.6", "ES")],
            vec![Attribute::of_certificate("2.5.4.3", "a,b")],
        ]);
        assert_eq!(subject.text(), r"CN=a\,b,C=ES");
        assert!(subject.is_equal(&DistinguishedName::parse(r"CN=a\,b, c=ES").unwrap()));
    }
}
