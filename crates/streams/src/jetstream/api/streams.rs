//! Streams over the API: create, update, delete, purge, look at (E21 to E27).

use super::Call;
use crate::api::advisory::Action;
use crate::api::{
    self, INFOS_PER_PAGE, NAMES_PER_PAGE, Page, PurgeRequest, SUBJECTS_PER_PAGE,
    StreamConfigRequest, StreamCreateResponse, StreamDeleteResponse, StreamInfoRequest,
    StreamInfoResponse, StreamListResponse, StreamNamesResponse, StreamPurgeResponse,
    StreamUpdateResponse, StreamsRequest,
};
use crate::config::{OtherStreams, Retention, StreamConfig, subjects_overlap};
use crate::error::{self, ApiError};
use crate::jetstream::ConsumerSlot;
use crate::jetstream::JetStream;
use crate::jetstream::graves::Gone;
use crate::stream::{Stream, store_failed};

/// Gaps that one answer lists.
const DELETED_MAX: usize = 1_000_000;

impl OtherStreams for JetStream {
    fn config_of(&self, name: &str) -> Option<&StreamConfig> {
        self.stream(name).ok().map(|stream| &stream.config)
    }
}

impl JetStream {
    pub(super) fn stream_create(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamCreateResponse, ApiError> {
        let strict = self.settings.strict;
        let mut request = StreamConfigRequest::parse(call.message.payload, strict)?;
        request.config.set_required_level();
        request.check_for_create(name)?;
        let config =
            request
                .config
                .check_and_normalise(&self.settings.limits, self, request.pedantic)?;
        if let Ok(stream) = self.stream(name) {
            if !stream.config.is_same_as(&config) {
                return Err(ApiError::new(&error::STREAM_NAME_EXIST));
            }
        } else if self.offline.contains_key(name) {
            return Err(self.not_served(name));
        } else if self.transfers.is_restoring(name) {
            return Err(ApiError::new(&error::STREAM_NAME_EXIST));
        } else {
            self.check_account_limits(&config, None)?;
            self.check_overlap(&config)?;
            self.add_stream(call, config)?;
        }
        let info = self.info_of(call, name)?;
        Ok(StreamCreateResponse {
            info,
            did_create: true,
        })
    }

    /// Makes a stream of a configuration that was checked.
    pub(in crate::jetstream) fn add_stream(
        &mut self,
        call: &mut Call<'_, '_>,
        config: StreamConfig,
    ) -> Result<u32, ApiError> {
        let id = self.share.number_stream();
        let name = config.name.clone();
        let mut stream = Stream::new(id, config, call.context.now_ns);
        stream.account = self.stored_account();
        stream
            .store_new(call.journal)
            .map_err(|refused| store_failed(&refused))?;
        self.names.insert(name.clone(), id);
        self.insert_stream(stream);
        self.note_reserved();
        self.enter_subjects(id);
        self.subscribe_to_subjects(call.context, id);
        self.start_sources(call.context, call.journal, id);
        self.schedule(id);
        self.advise_stream(call.context, &name, Action::Created);
        Ok(id)
    }

    pub(super) fn stream_update(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamUpdateResponse, ApiError> {
        let strict = self.settings.strict;
        let mut request = StreamConfigRequest::parse(call.message.payload, strict)?;
        request.config.set_required_level();
        let limits = self.settings.limits.clone();
        // What is wrong with it is told first, that there is no such stream last.
        request.config.checked(&limits, self, request.pedantic)?;
        request.check_name(name)?;
        let old = self.stream(name)?.config.clone();
        let config = old.check_update(&request.config, &limits, self, request.pedantic)?;
        self.stream(name)?.check_consumers_within(&config)?;
        self.check_account_limits(&config, Some(&old))?;
        self.check_overlap(&config)?;
        let stream = self.stream_mut(name)?;
        let id = stream.id;
        stream
            .update(call.journal, config)
            .map_err(|refused| store_failed(&refused))?;
        let (on_file, last) = (stream.messages.is_on_file(), stream.last_sequence());
        if on_file {
            // What lower limits took away is let go once that is durable.
            self.replies.grown(id, last);
        }
        self.note_reserved();
        self.leave_subjects(call.context, id);
        self.enter_subjects(id);
        self.subscribe_to_subjects(call.context, id);
        self.start_sources(call.context, call.journal, id);
        if old.retention == Retention::Limits {
            self.settle_what_is_done(id);
        }
        self.schedule(id);
        self.activate(id);
        self.advise_stream(call.context, name, Action::Updated);
        let info = self.info_of(call, name)?;
        Ok(StreamUpdateResponse { info })
    }

    pub(super) fn stream_delete(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamDeleteResponse, ApiError> {
        api::expect_empty(call.message.payload)?;
        if self.delete_offline(call.context, call.journal, name)? {
            return Ok(StreamDeleteResponse { success: true });
        }
        let stream = self.stream(name)?;
        let (id, on_file) = (stream.id, stream.messages.is_on_file());
        if on_file {
            let what = Gone {
                stream: id,
                consumer: None,
            };
            self.bury(call.journal, what)
                .map_err(|refused| store_failed(&refused))?;
        }
        let consumers: Vec<String> = self.stream(name)?.consumers.keys().cloned().collect();
        for consumer in consumers {
            self.drop_consumer(call.context, call.journal, id, &consumer);
            self.advise_consumer(call.context, name, &consumer, Action::Deleted);
        }
        self.leave_subjects(call.context, id);
        self.stop_sources(call.context, call.journal, id);
        self.names.remove(name);
        if let Some(stream) = self.remove_stream(id) {
            stream.release_all(call.journal);
        }
        self.note_reserved();
        self.schedule(id);
        self.unsaved.remove(&id);
        self.wake_followers(name);
        self.advise_stream(call.context, name, Action::Deleted);
        Ok(StreamDeleteResponse { success: true })
    }

    pub(super) fn stream_purge(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamPurgeResponse, ApiError> {
        let strict = self.settings.strict;
        let request = PurgeRequest::parse(call.message.payload, strict)?;
        let stream = self.stream_mut(name)?;
        if stream.config.sealed {
            return Err(ApiError::new(&error::STREAM_SEALED));
        }
        if stream.config.deny_purge {
            let why = "stream purge not permitted";
            return Err(ApiError::with(&error::STREAM_PURGE_FAILED, why));
        }
        let purged = stream
            .purge(call.journal, &request.filter, request.seq, request.keep)
            .map_err(|refused| store_failed(&refused))?;
        let id = stream.id;
        self.activate(id);
        Ok(StreamPurgeResponse {
            success: true,
            purged,
        })
    }

    pub(super) fn stream_info(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<StreamInfoResponse, ApiError> {
        let request = StreamInfoRequest::parse(call.message.payload, self.settings.strict)?;
        let mut info = self.info_of(call, name)?;
        info.cluster = Some(self.cluster());
        let stream = self.stream(name)?;
        if request.deleted_details {
            info.state.deleted = stream.deleted(DELETED_MAX);
        }
        let mut page = Page::default();
        if !request.subjects_filter.is_empty() {
            let filter = &request.subjects_filter;
            let (subjects, total) = stream.subjects_page(filter, request.offset, SUBJECTS_PER_PAGE);
            info.state.subjects = subjects;
            page = Page {
                total,
                offset: request.offset,
                limit: if total > 0 { SUBJECTS_PER_PAGE } else { 0 },
            };
        }
        Ok(StreamInfoResponse { page, info })
    }

    /// Names of streams that have a subject like this, in order, those that are offline among them.
    fn names_with(&self, subject: &str) -> Vec<&String> {
        let has_it = |id: &u32| {
            let stream = &self.streams[id];
            subject.is_empty()
                || stream
                    .config
                    .subjects
                    .iter()
                    .any(|own| subjects_overlap(own, subject))
        };
        let served = self.names.iter().filter(|(_, id)| has_it(id));
        let offline = self.offline.iter();
        let offline = offline.filter(|(_, one)| subject.is_empty() || one.has_subject(subject));
        let mut all: Vec<&String> = served.map(|(name, _)| name).collect();
        all.extend(offline.map(|(name, _)| name));
        all.sort_unstable();
        all
    }

    pub(super) fn stream_names(
        &self,
        call: &Call<'_, '_>,
    ) -> Result<StreamNamesResponse, ApiError> {
        let request = StreamsRequest::parse(call.message.payload, self.settings.strict)?;
        let all = self.names_with(&request.subject);
        let page = page(all.len(), request.offset, NAMES_PER_PAGE);
        let names = all.iter().skip(page.offset).take(page.limit);
        Ok(StreamNamesResponse {
            streams: names.map(|&name| name.clone()).collect(),
            page,
        })
    }

    pub(super) fn stream_list(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<StreamListResponse, ApiError> {
        let request = StreamsRequest::parse(call.message.payload, self.settings.strict)?;
        let all = self.names_with(&request.subject);
        let page = page(all.len(), request.offset, INFOS_PER_PAGE);
        let names = all.iter().skip(page.offset).take(page.limit);
        let offline = self.offline_among(names.clone().copied());
        let served = names.filter(|name| !offline.contains_key(**name));
        let served: Vec<String> = served.map(|&name| name.clone()).collect();
        let streams = served.iter().map(|name| self.entry_of(call, name));
        Ok(StreamListResponse {
            streams: streams.collect::<Result<_, _>>()?,
            page,
            missing: offline.keys().cloned().collect(),
            offline,
        })
    }
}

impl Stream {
    /// Whether all consumers keep to limits that an update changes (E60).
    fn check_consumers_within(&self, new: &StreamConfig) -> Result<(), ApiError> {
        let (old, new) = (&self.config.consumer_limits, &new.consumer_limits);
        let changed = (new.inactive_threshold > 0
            && new.inactive_threshold != old.inactive_threshold)
            || (new.max_ack_pending > 0 && new.max_ack_pending != old.max_ack_pending);
        if !changed {
            return Ok(());
        }
        let beyond = |slot: &ConsumerSlot| {
            let config = slot.consumer.config();
            (new.inactive_threshold > 0 && config.inactive_threshold > new.inactive_threshold)
                || (new.max_ack_pending > 0 && config.max_ack_pending > new.max_ack_pending)
        };
        let all = self.consumers.iter().filter(|(_, slot)| beyond(slot));
        let names: Vec<&str> = all.map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let why = format!("change to limits violates consumers: {}", names.join(", "));
        Err(ApiError::with(&error::STREAM_UPDATE, why))
    }
}

/// Which part of a list an answer shows.
pub(super) fn page(total: usize, offset: usize, limit: usize) -> Page {
    Page {
        total,
        offset: offset.min(total),
        limit,
    }
}
