//! Roles of signing keys, whose permissions are templates: `orders.{{name()}}.>` (C10).

use super::account::AccountClaims;
use super::permissions::{PermissionClaims, RuleClaims};
use super::token::{Claims, InvalidToken};
use super::user::UserClaims;
use recado_wire::validate_filter;

/// Most subjects that the templates of one list may become.
const EXPANSIONS_MAX: usize = 4_096;

/// Fills in a role's permissions for one user. As nats-server: what comes out as no subject is left out where it would be
/// allowed, and refused where it would be denied; if nothing that was allowed is left, everything is denied.
pub(crate) fn expand(
    role: &PermissionClaims,
    user: &Claims<UserClaims>,
    account: &Claims<AccountClaims>,
) -> Result<PermissionClaims, InvalidToken> {
    let filler = Filler { user, account };
    Ok(PermissionClaims {
        r#pub: filler.rules(&role.r#pub)?,
        sub: filler.rules(&role.sub)?,
        resp: role.resp.clone(),
    })
}

struct Filler<'a> {
    user: &'a Claims<UserClaims>,
    account: &'a Claims<AccountClaims>,
}

/// What a template stands for.
struct Hole<'t> {
    /// With its braces.
    text: &'t str,
    values: Vec<String>,
}

impl Filler<'_> {
    fn rules(&self, rules: &RuleClaims) -> Result<RuleClaims, InvalidToken> {
        let allow = self.list(&rules.allow, false)?;
        let mut deny = self.list(&rules.deny, true)?;
        if !rules.allow.is_empty() && allow.is_empty() {
            deny.push(">".to_owned());
        }
        Ok(RuleClaims { allow, deny })
    }

    /// `strict`: what can't be filled in is an error.
    fn list(&self, list: &[String], strict: bool) -> Result<Vec<String>, InvalidToken> {
        if !list.iter().any(|rule| rule.contains("{{")) {
            return Ok(list.to_vec());
        }
        let mut filled = Vec::new();
        for rule in list {
            let holes = self.holes(rule, strict)?;
            let mut count: usize = 1;
            for hole in &holes {
                count = count.saturating_mul(hole.values.len());
            }
            if count > EXPANSIONS_MAX || filled.len() + count > EXPANSIONS_MAX {
                let why = format!("its templates become more than {EXPANSIONS_MAX} subjects");
                return Err(InvalidToken::Invalid(why));
            }
            for choice in 0..count {
                let subject = fill(rule, &holes, choice).filter(|subject| is_rule(subject));
                if let Some(subject) = subject {
                    filled.push(subject);
                } else if strict {
                    let why = format!("its template {rule:?} becomes no valid subject");
                    return Err(InvalidToken::Invalid(why));
                }
            }
        }
        Ok(filled)
    }

    fn holes<'t>(&self, rule: &'t str, strict: bool) -> Result<Vec<Hole<'t>>, InvalidToken> {
        let mut holes: Vec<Hole<'t>> = Vec::new();
        let mut rest = rule;
        while let Some(start) = rest.find("{{") {
            let behind = &rest[start + 2..];
            let Some(end) = behind.find("}}") else {
                break;
            };
            let text = &rest[start..start + 2 + end + 2];
            rest = &behind[end + 2..];
            if holes.iter().any(|hole| hole.text == text) {
                continue;
            }
            let values = self.values(rule, behind[..end].trim(), strict)?;
            holes.push(Hole { text, values });
        }
        Ok(holes)
    }

    fn values(&self, rule: &str, call: &str, strict: bool) -> Result<Vec<String>, InvalidToken> {
        let one = |text: &str| Ok(vec![text.to_owned()]);
        let lower = call.to_ascii_lowercase();
        match lower.as_str() {
            "name()" => return one(&self.user.name),
            "subject()" => return one(&self.user.subject),
            "account-name()" => return one(&self.account.name),
            "account-subject()" => return one(&self.account.subject),
            _ => {}
        }
        let of = |prefix: &str| lower.strip_prefix(prefix)?.strip_suffix(')');
        let (tags, tag) = match (of("account-tag("), of("tag(")) {
            (Some(tag), _) => (&self.account.nats.tags, tag),
            (None, Some(tag)) => (&self.user.nats.tags, tag),
            (None, None) => {
                let why = format!("its template {rule:?} calls {call:?}, which there is not");
                return Err(InvalidToken::Invalid(why));
            }
        };
        let prefix = format!("{tag}:");
        let values = tags.iter().filter_map(|tag| tag.strip_prefix(&prefix));
        let values: Vec<_> = values.map(str::to_owned).collect();
        if values.is_empty() && strict {
            let why = format!("its template {rule:?} needs the tag {tag:?}, which there is not");
            return Err(InvalidToken::Invalid(why));
        }
        Ok(values)
    }
}

/// The rule with one choice of values; choices are counted through like digits. `None` if a value has white space:
/// it could make a queue group of what is meant as a subject.
fn fill(rule: &str, holes: &[Hole<'_>], mut choice: usize) -> Option<String> {
    let mut filled = rule.to_owned();
    for hole in holes {
        let count = hole.values.len().max(1);
        let value = hole.values.get(choice % count)?;
        choice /= count;
        if value.contains(char::is_whitespace) {
            return None;
        }
        filled = filled.replace(hole.text, value);
    }
    Some(filled)
}

/// What was filled in must be one subject, or one behind which a queue group was written.
fn is_rule(rule: &str) -> bool {
    let mut words = rule.split(' ');
    let valid = |word: &str| {
        validate_filter(word.as_bytes()).is_ok() && !word.contains(char::is_whitespace)
    };
    let (subject, queue) = (words.next(), words.next());
    subject.is_some_and(valid) && queue.is_none_or(valid) && words.next().is_none()
}
