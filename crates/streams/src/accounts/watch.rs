//! What is told of accounts to whoever watches the server from inside.

use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use recado_log::Journal;

use super::{Accounts, Service};
use crate::context::Surroundings;
use crate::jetstream::{Found, Inquiry, JetStream, Page, Summary};

/// One account's streams together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// The account.
    pub name: Arc<str>,
    /// Its streams.
    pub summary: Summary,
}

impl Accounts {
    /// Answers so far that wait for the disk, or did.
    pub fn answers_so_far(&self) -> u64 {
        self.answers
    }

    /// The accounts that have JetStream, in the order of their names, behind `after`: at least one, as long as
    /// `goes_on`; and whether there are more.
    pub fn summaries(
        &self,
        after: Option<&str>,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> (Vec<AccountSummary>, bool) {
        let from = after.map_or(Unbounded, Excluded);
        let mut told = Vec::new();
        for (name, at) in self.names.range::<str, _>((from, Unbounded)) {
            let Some(jetstream) = self.watched(*at) else {
                continue;
            };
            if !told.is_empty() && !goes_on() {
                return (told, true);
            }
            told.push(AccountSummary {
                name: Arc::clone(name),
                summary: jetstream.summary(),
            });
        }
        (told, false)
    }

    /// Streams of an account from where the last page ended; see [`JetStream::page`]. None of an account without.
    pub fn page(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        account: &str,
        inquiry: &Inquiry,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Page {
        let found = self.names.get(account).copied();
        let Some(at) = found.filter(|at| self.watched(*at).is_some()) else {
            return Page::default();
        };
        let page = self.with(around, at, |jetstream, context| {
            jetstream.page(context, journal, inquiry, goes_on)
        });
        page.unwrap_or_default()
    }

    /// Whether a stream of an account, and a consumer of it, are there; `None`: nor is the account.
    pub fn find(&self, account: &str, stream: &str, consumer: &str) -> Option<Found> {
        let at = *self.names.get(account)?;
        Some(self.watched(at)?.find(stream, consumer))
    }

    /// The streams of an account, if it has JetStream now.
    fn watched(&self, at: usize) -> Option<&JetStream> {
        let account = self.account(at)?;
        let jetstream = account.jetstream.as_deref()?;
        (account.service == Service::Full).then_some(jetstream)
    }
}
