//! What the API shows: of the account, of streams, of consumers.

use std::collections::BTreeMap;

use recado_log::Journal;

use super::Call;
use crate::api::{
    AccountInfo, AccountUsage, ApiUsage, ClusterInfo, LostMessages, StreamInfo, StreamState,
};
use crate::config::{API_LEVEL, Storage};
use crate::consumer::Read;
use crate::error::ApiError;
use crate::index::Filters;
use crate::jetstream::JetStream;
use crate::stream::Stream;
use crate::time::ZERO_TIME;

/// Damaged messages at a stream's ends that are found before one answer: each is read, and counted as lost then.
const DAMAGED_ENDS_MAX: usize = 100;

impl JetStream {
    pub(in crate::jetstream) fn account(&self) -> AccountInfo {
        let reserved = |storage: Storage| -> u64 {
            let of_kind = self
                .streams
                .values()
                .filter(|s| s.config.storage == storage);
            of_kind
                .map(|stream| u64::try_from(stream.config.max_bytes).unwrap_or(0))
                .sum()
        };
        let consumers = self
            .streams
            .values()
            .map(|stream| stream.consumers.len())
            .sum::<usize>();
        AccountInfo {
            usage: AccountUsage {
                memory: self.bytes_used(Storage::Memory),
                storage: self.bytes_used(Storage::File),
                reserved_memory: reserved(Storage::Memory),
                reserved_storage: reserved(Storage::File),
                streams: self.names.len() as u64,
                consumers: consumers as u64,
                limits: self.settings.limits.account.clone(),
            },
            domain: self.settings.domain.clone().unwrap_or_default(),
            api: ApiUsage {
                level: API_LEVEL,
                total: self.api_total,
                errors: self.api_errors,
                inflight: 0,
            },
            tiers: BTreeMap::new(),
        }
    }

    /// This server, as the leader of everything that it has.
    pub(in crate::jetstream) fn cluster(&self) -> ClusterInfo {
        ClusterInfo {
            name: String::new(),
            leader: self.settings.server_name.clone(),
            leader_since: None,
        }
    }

    /// Damage may have been found in a stream: its consumers are told, and it is written down.
    pub(super) fn mind_damage(&mut self, name: &str) {
        if let Ok(stream) = self.stream(name)
            && stream.messages.has_unwritten_damage()
        {
            let id = stream.id;
            self.activate(id);
        }
    }

    /// All about a stream, now, as answers about this one tell it.
    pub(in crate::jetstream) fn info_of(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamInfo, ApiError> {
        let mut info = self.entry_of(call, name)?;
        info.config = info.config.for_answer(&self.settings.version);
        Ok(info)
    }

    /// The same as lists tell it: with its configuration as it is stored (E10).
    pub(super) fn entry_of(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamInfo, ApiError> {
        let now_ns = call.context.now_ns;
        let state = self.stream_mut(name)?.exact_state(call.journal);
        self.mind_damage(name);
        let stream = self.stream(name)?;
        Ok(StreamInfo {
            config: stream.config.clone(),
            created: stream.created_ns,
            state,
            domain: self.settings.domain.clone().unwrap_or_default(),
            cluster: None,
            mirror: self.mirror_info(stream, now_ns),
            sources: self.source_infos(stream, now_ns),
            ts: now_ns,
        })
    }
}

impl Stream {
    /// What it holds, with times to the nanosecond: the index keeps them to the microsecond.
    pub(crate) fn exact_state(&mut self, journal: &mut dyn Journal) -> StreamState {
        for _ in 0..DAMAGED_ENDS_MAX {
            let mut state = self.state();
            let ends = [
                (state.first_seq, &mut state.first_ts),
                (state.last_seq, &mut state.last_ts),
            ];
            let mut is_damaged = false;
            for (sequence, time) in ends {
                if self.messages.index.get(sequence).is_none() {
                    continue;
                }
                match self.messages.read(journal, sequence) {
                    Read::Message(message) => *time = message.time_ns,
                    // It is not there any more, and was counted.
                    Read::Lost | Read::Gone => is_damaged = true,
                    Read::Unreadable => {}
                }
            }
            if !is_damaged {
                return state;
            }
        }
        self.state()
    }

    /// What it holds, without details.
    pub(crate) fn state(&self) -> StreamState {
        let index = &self.messages.index;
        let fresh =
            index.last_sequence() == 0 || index.last_sequence() + 1 == self.config.first_seq;
        let lost = &self.messages.lost;
        StreamState {
            messages: index.len(),
            bytes: index.bytes(),
            first_seq: if fresh && self.is_fresh && self.config.first_seq == 0 {
                0
            } else {
                index.first_sequence()
            },
            first_ts: index.first_time_ns().unwrap_or(ZERO_TIME),
            last_seq: index.last_sequence(),
            last_ts: index.last_time_ns().unwrap_or(ZERO_TIME),
            num_subjects: index.subject_count() as u64,
            subjects: BTreeMap::new(),
            num_deleted: index.deleted_count(),
            deleted: Vec::new(),
            lost: (lost.messages > 0).then(|| LostMessages {
                msgs: lost.sequences.clone(),
                bytes: lost.bytes,
            }),
            consumer_count: self.visible_consumers() as u64,
        }
    }

    /// Consumers, without those by which other streams take from this one.
    pub(crate) fn visible_consumers(&self) -> usize {
        self.public_consumers().count()
    }

    /// Their names.
    pub(super) fn public_consumers(&self) -> impl Iterator<Item = &String> {
        let all = self.consumers.iter();
        let own = all.filter(|(_, slot)| !slot.consumer.config().direct);
        own.map(|(name, _)| name)
    }

    /// The sequences that are missing between first and last, at most `max` of them.
    pub(super) fn deleted(&self, max: usize) -> Vec<u64> {
        let ranges = self.messages.index.deleted_ranges();
        ranges.flat_map(|(from, to)| from..=to).take(max).collect()
    }

    /// Subjects that a filter matches with their counts, a page of them in the order of their bytes, and how many
    /// there are.
    pub(super) fn subjects_page(
        &self,
        filter: &str,
        offset: usize,
        max: usize,
    ) -> (BTreeMap<String, u64>, usize) {
        let mut filters = Filters::new([filter]);
        let index = &self.messages.index;
        let total = index.matching_subject_count(&mut filters);
        let page = index.subjects_in_order(&mut filters, offset, max);
        let text = |subject| String::from_utf8_lossy(subject).into_owned();
        let page = page.into_iter();
        let page = page.map(|(subject, count)| (text(subject), count));
        (page.collect(), total)
    }
}
