//! From a client certificate to a user: `verify_and_map` (C15).

use crate::distinguished_name::DistinguishedName;

/// The names in a client certificate that was verified, in the certificate's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// E-mail addresses (subject alternative names).
    pub emails: Vec<String>,
    /// DNS names (subject alternative names).
    pub dns: Vec<String>,
    /// URIs (subject alternative names).
    pub uris: Vec<String>,
    /// The subject.
    pub subject: DistinguishedName,
}

impl CertificateNames {
    /// The user that the certificate names. Tried in turn, as nats-server does: e-mail addresses, DNS names
    /// and URIs by their text; the subject in its order, then in any order; its text with the domain components
    /// at the end, then without. `users` are the names that may be meant.
    pub fn user<'u>(&self, users: impl Iterator<Item = &'u str> + Clone) -> Option<&'u str> {
        let named = |wanted: &str| users.clone().find(|name| *name == wanted);
        let alternative = self.emails.iter().chain(&self.dns).chain(&self.uris);
        alternative
            .filter(|name| !name.is_empty())
            .find_map(|name| named(name))
            .or_else(|| self.by_subject(users.clone()))
            .or_else(|| {
                self.subject
                    .text_with_domain()
                    .and_then(|text| named(&text))
            })
            .or_else(|| {
                let text = self.subject.text();
                named(&text).filter(|_| !text.is_empty())
            })
    }

    fn by_subject<'u>(&self, users: impl Iterator<Item = &'u str>) -> Option<&'u str> {
        if self.subject.is_empty() || !self.subject.is_common() {
            return None;
        }
        let mut reordered = None;
        for name in users {
            let Some(wanted) = DistinguishedName::parse(name) else {
                continue;
            };
            if wanted.is_equal(&self.subject) {
                return Some(name);
            }
            if reordered.is_none() && wanted.is_equal_in_any_order(&self.subject) {
                reordered = Some(name);
            }
        }
        reordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(subject: &str) -> CertificateNames {
        CertificateNames {
            emails: vec!["ana@example.com".into()],
            dns: vec!["ana.example.com".into()],
            uris: vec!["spiffe://example.com/ana".into()],
            subject: DistinguishedName::parse(subject).unwrap(),
        }
    }

    fn user<'u>(names: &CertificateNames, users: &[&'u str]) -> Option<&'u str> {
        names.user(users.iter().copied())
    }

    #[test]
    fn names_are_tried_in_turn() {
        let names = names("CN=ana,O=example");
        let mut users = vec![
            "CN=ana,O=example",
            "spiffe://example.com/ana",
            "ana.example.com",
            "ana@example.com",
        ];
        while let Some(expected) = users.last().copied() {
            assert_eq!(user(&names, &users), Some(expected));
            users.pop();
        }
        assert_eq!(user(&names, &["ana", "", "CN=ana"]), None);
    }

    #[test]
    fn the_order_of_the_subject_matters_only_where_both_are_users() {
        let names = names("CN=ana,OU=ventas,O=example");
        let (same, other) = ("CN=ana,OU=ventas,O=example", "O=example,CN=ana,OU=ventas");
        assert_eq!(user(&names, &[other, same]), Some(same));
        assert_eq!(user(&names, &[other]), Some(other));
    }

    #[test]
    fn domain_components_may_stand_at_the_end() {
        let names = names("DC=com,CN=ana");
        assert_eq!(user(&names, &["CN=ana,DC=com"]), Some("CN=ana,DC=com"));
    }

    #[test]
    fn a_certificate_without_names_is_nobody() {
        let none = CertificateNames::default();
        assert_eq!(user(&none, &["", "ana"]), None);
    }
}
