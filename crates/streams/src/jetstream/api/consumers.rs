//! Consumers over the API (E32 to E41).

use recado_log::{Journal, Refused};

use super::streams::page;
use super::{Call, Outcome, sourcing};
use crate::api::advisory::Action;
use crate::api::{
    self, ConsumerCall, ConsumerCreateCall, ConsumerCreateRequest, ConsumerCreateResponse,
    ConsumerDeleteResponse, ConsumerInfo, ConsumerInfoResponse, ConsumerListResponse,
    ConsumerNamesResponse, ConsumerPauseResponse, ConsumerResetResponse, ConsumerUnpinResponse,
    ConsumersRequest, INFOS_PER_PAGE, NAMES_PER_PAGE, PauseRequest, ResetRequest, UnpinRequest,
};
use crate::config::{ConsumerAction, ConsumerConfig, INACTIVE_THRESHOLD_DEFAULT};
use crate::consumer::{Consumer, Event};
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::jetstream::JetStream;
use crate::jetstream::consumers::{ConsumerSlot, StreamSource};
use crate::jetstream::graves::Gone;
use crate::stream::{Stream, store_failed};
use crate::time::ZERO_TIME;

/// Letters of a name that the server gives.
const NAME_LETTERS: usize = 8;

impl JetStream {
    pub(super) fn consumer_create(
        &mut self,
        call: &mut Call<'_, '_>,
        of: &ConsumerCreateCall<'_>,
    ) -> Outcome {
        let mut identity = None;
        let answer = self.put_consumer(call, of, &mut identity);
        sourcing::answered(answer, identity)
    }

    /// Makes a consumer, or changes it. Whoever sources is told the `identity` of the stream.
    fn put_consumer(
        &mut self,
        call: &mut Call<'_, '_>,
        of: &ConsumerCreateCall<'_>,
        identity: &mut Option<String>,
    ) -> Result<ConsumerCreateResponse, ApiError> {
        let strict = self.settings.strict;
        let request = ConsumerCreateRequest::parse(call.message.payload, of, strict)?;
        let mut config = request.config;
        let stream = self.stream(of.stream())?;
        let id = stream.id;
        *identity = sourcing::expect_identity(stream, &config, call.message)?;
        sourcing::fit(&mut config, stream, call.context);
        let mut config =
            config.check_and_normalise(&stream.config, &self.settings.limits, request.pedantic)?;
        let name = self.name_for(call.context, &config);
        let is_there = self.stream(of.stream())?.consumers.contains_key(&name);
        if is_there {
            let goes_on = config.sourcing;
            self.update_consumer(call, id, &name, config, request.action)?;
            if goes_on {
                self.deliver_again(call, id, &name);
            }
        } else {
            request.action.check(None, &config)?;
            if !config.is_durable() && config.inactive_threshold == 0 {
                config.inactive_threshold = INACTIVE_THRESHOLD_DEFAULT;
            }
            self.add_consumer(call, id, &name, config)?;
        }
        let info = self.consumer_info_of(id, &name, call)?;
        if info.paused {
            let paused = Event::Paused {
                until_ns: info.config.pause_until,
                paused: true,
            };
            self.tell_events(call.context, call.journal, id, &name, vec![paused]);
        }
        Ok(ConsumerCreateResponse { info })
    }

    fn name_for(&self, context: &mut Context<'_>, config: &ConsumerConfig) -> String {
        let given = [&config.durable_name, &config.name];
        if let Some(name) = given.into_iter().find(|name| !name.is_empty()) {
            return name.clone();
        }
        let id = crate::jetstream::events::unique_id(context);
        id.chars().take(NAME_LETTERS).collect()
    }

    /// Makes a consumer of a configuration that was checked.
    pub(in crate::jetstream) fn add_consumer(
        &mut self,
        call: &mut Call<'_, '_>,
        id: u32,
        name: &str,
        mut config: ConsumerConfig,
    ) -> Result<(), ApiError> {
        config.name = name.to_owned();
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(ApiError::new(&error::STREAM_NOT_FOUND));
        };
        check_against_others(stream, &config, &self.settings.limits)?;
        // Who takes from here by a direct one asks again after a restart.
        let kept = stream.messages.is_on_file() && !config.mem_storage && !config.direct;
        if kept {
            // It may begin behind what went: should that come back, it would be nobody's.
            let written = self.write_gone(id, call.journal);
            written.map_err(|refused| store_failed(&refused))?;
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(ApiError::new(&error::STREAM_NOT_FOUND));
        };
        let now_ns = call.context.now_ns;
        let stream_name = stream.config.name.clone();
        let number = if kept {
            self.share.number_consumer()
        } else {
            0
        };
        let mut settled = Vec::new();
        let mut source = StreamSource {
            messages: &mut stream.messages,
            journal: call.journal,
            settled: &mut settled,
        };
        let consumer = Consumer::new(&stream_name, name, config, now_ns, &mut source, now_ns);
        let mut slot = ConsumerSlot::new(consumer, number, now_ns);
        slot.set_scope(self.ack_scope.as_deref());
        slot.consumer.interest_changed(call.context);
        slot.store_new(id, call.journal)
            .map_err(|refused| store_failed(&refused))?;
        stream.consumers.insert(name.to_owned(), Box::new(slot));
        if number > 0 {
            self.numbers.insert(number, (id, name.to_owned()));
        }
        self.activate(id);
        self.schedule(id);
        self.advise_consumer(call.context, &stream_name, name, Action::Created);
        Ok(())
    }

    fn update_consumer(
        &mut self,
        call: &mut Call<'_, '_>,
        id: u32,
        name: &str,
        mut config: ConsumerConfig,
        action: ConsumerAction,
    ) -> Result<(), ApiError> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(ApiError::new(&error::STREAM_NOT_FOUND));
        };
        let others: Vec<ConsumerConfig> = stream
            .consumers
            .iter()
            .filter(|(other, slot)| *other != name && counts(slot.consumer.config()))
            .map(|(_, slot)| slot.consumer.config().clone())
            .collect();
        let Some(slot) = stream.consumers.get_mut(name) else {
            return Err(ApiError::new(&error::CONSUMER_NOT_FOUND));
        };
        let old = slot.consumer.config().clone();
        config.name = name.to_owned();
        config.keep_from(&old);
        if config.sourcing && config.is_durable() {
            config.keep_start_from(&old);
        }
        // What had none keeps none, whether this update calls it durable or not.
        if config.inactive_threshold == 0 && old.inactive_threshold != 0 && !old.is_durable() {
            config.inactive_threshold = INACTIVE_THRESHOLD_DEFAULT;
        }
        action.check(Some(&old), &config)?;
        if old.is_same_as(&config) {
            return Ok(());
        }
        old.check_update(&config, slot.consumer.is_push_bound())?;
        config.check_for_work_queue_update(&stream.config, others.iter())?;
        config.pause_until = old.pause_until;
        slot.store_config(id, &config, call.journal)
            .map_err(|refused| store_failed(&refused))?;
        let mut settled = Vec::new();
        let mut source = StreamSource {
            messages: &mut stream.messages,
            journal: call.journal,
            settled: &mut settled,
        };
        slot.consumer.update(call.context, &mut source, config);
        self.unsaved.insert(id);
        // Messages that only the old filters wanted go.
        self.settle_orphans(id);
        self.activate(id);
        self.schedule(id);
        Ok(())
    }

    /// All about a consumer, now, as answers about this one tell it.
    pub(super) fn consumer_info_of(
        &mut self,
        id: u32,
        name: &str,
        call: &mut Call<'_, '_>,
    ) -> Result<ConsumerInfo, ApiError> {
        let mut info = self.entry_of_consumer(id, name, call.context, call.journal)?;
        info.config = info.config.for_answer(&self.settings.version);
        Ok(info)
    }

    /// The same as lists tell it: with its configuration as it is stored (E10).
    pub(in crate::jetstream) fn entry_of_consumer(
        &mut self,
        id: u32,
        name: &str,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) -> Result<ConsumerInfo, ApiError> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(ApiError::new(&error::STREAM_NOT_FOUND));
        };
        stream.count_without_damage(journal);
        let Some(slot) = stream.consumers.get_mut(name) else {
            return Err(ApiError::new(&error::CONSUMER_NOT_FOUND));
        };
        let mut settled = Vec::new();
        let mut source = StreamSource {
            messages: &mut stream.messages,
            journal,
            settled: &mut settled,
        };
        slot.consumer.interest_changed(context);
        Ok(slot.consumer.info(context, &mut source))
    }

    pub(super) fn consumer_info(
        &mut self,
        call: &mut Call<'_, '_>,
        of: ConsumerCall<'_>,
    ) -> Result<ConsumerInfoResponse, ApiError> {
        api::expect_empty(call.message.payload)?;
        let Ok(stream) = self.stream(of.stream) else {
            return Err(self.consumer_not_served(of.stream, of.consumer));
        };
        let id = stream.id;
        let info = self.consumer_info_of(id, of.consumer, call)?;
        Ok(ConsumerInfoResponse { info })
    }

    pub(super) fn consumer_names(
        &self,
        call: &Call<'_, '_>,
        stream: &str,
    ) -> Result<ConsumerNamesResponse, ApiError> {
        let request = ConsumersRequest::parse(call.message.payload, self.settings.strict)?;
        let offline = self.offline_consumers(stream);
        let names: Vec<&String> = match &offline {
            Some(offline) => offline.keys().collect(),
            None => self.stream(stream)?.public_consumers().collect(),
        };
        let page = page(names.len(), request.offset, NAMES_PER_PAGE);
        let shown = names.into_iter().skip(page.offset).take(page.limit);
        Ok(ConsumerNamesResponse {
            consumers: shown.cloned().collect(),
            page,
        })
    }

    pub(super) fn consumer_list(
        &mut self,
        call: &mut Call<'_, '_>,
        stream: &str,
    ) -> Result<ConsumerListResponse, ApiError> {
        let request = ConsumersRequest::parse(call.message.payload, self.settings.strict)?;
        if let Some(offline) = self.offline_consumers(stream) {
            return Ok(ConsumerListResponse {
                page: page(offline.len(), request.offset, INFOS_PER_PAGE),
                consumers: Vec::new(),
                missing: offline.keys().cloned().collect(),
                offline,
            });
        }
        let stream = self.stream(stream)?;
        let id = stream.id;
        let names: Vec<String> = stream.public_consumers().cloned().collect();
        let page = page(names.len(), request.offset, INFOS_PER_PAGE);
        let mut consumers = Vec::new();
        for name in names.iter().skip(page.offset).take(page.limit) {
            consumers.push(self.entry_of_consumer(id, name, call.context, call.journal)?);
        }
        Ok(ConsumerListResponse {
            page,
            consumers,
            missing: Vec::new(),
            offline: std::collections::BTreeMap::new(),
        })
    }

    pub(super) fn consumer_delete(
        &mut self,
        call: &mut Call<'_, '_>,
        of: ConsumerCall<'_>,
    ) -> Result<ConsumerDeleteResponse, ApiError> {
        api::expect_empty(call.message.payload)?;
        if self.offline.contains_key(of.stream) {
            let (context, journal) = (&mut *call.context, &mut *call.journal);
            self.delete_offline_consumer(context, journal, of.stream, of.consumer)?;
            return Ok(ConsumerDeleteResponse { success: true });
        }
        let stream = self.stream(of.stream)?;
        let id = stream.id;
        if !stream.consumers.contains_key(of.consumer) {
            return Err(ApiError::new(&error::CONSUMER_NOT_FOUND));
        }
        self.bury_consumer(call.journal, id, of.consumer)
            .map_err(|refused| store_failed(&refused))?;
        self.remove_consumer(call.context, call.journal, id, of.consumer);
        Ok(ConsumerDeleteResponse { success: true })
    }

    /// Deletes a consumer that nobody asked to be deleted.
    pub(in crate::jetstream) fn delete_consumer(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        name: &str,
    ) {
        // Refused: after a restart it is there again, and deleted again if it was left alone.
        let _ = self.bury_consumer(journal, id, name);
        self.remove_consumer(context, journal, id, name);
    }

    /// Writes down that a consumer is gone.
    fn bury_consumer(
        &mut self,
        journal: &mut dyn Journal,
        id: u32,
        name: &str,
    ) -> Result<(), Refused> {
        let stream = self.streams.get(&id);
        let slot = stream.and_then(|stream| stream.consumers.get(name));
        match slot.map(|slot| slot.number()) {
            None | Some(0) => Ok(()),
            Some(number) => {
                let consumer = Some(number);
                self.bury(
                    journal,
                    Gone {
                        stream: id,
                        consumer,
                    },
                )
            }
        }
    }

    /// Takes a consumer away, and what only it kept.
    fn remove_consumer(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        name: &str,
    ) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if !stream.consumers.contains_key(name) {
            return;
        }
        let stream_name = stream.config.name.clone();
        self.drop_consumer(context, journal, id, name);
        self.settle_orphans(id);
        self.advise_consumer(context, &stream_name, name, Action::Deleted);
        self.schedule(id);
    }

    pub(super) fn consumer_pause(
        &mut self,
        call: &mut Call<'_, '_>,
        of: ConsumerCall<'_>,
    ) -> Result<ConsumerPauseResponse, ApiError> {
        let request = PauseRequest::parse(call.message.payload, self.settings.strict)?;
        let id = self.stream(of.stream)?.id;
        let now_ns = call.context.now_ns;
        let until =
            Some(request.pause_until).filter(|until| *until != ZERO_TIME && *until > now_ns);
        let stream = self.streams.get_mut(&id);
        let Some(slot) = stream.and_then(|stream| stream.consumers.get_mut(of.consumer)) else {
            return Err(ApiError::new(&error::CONSUMER_NOT_FOUND));
        };
        let mut config = slot.consumer.config().clone();
        config.pause_until = until;
        config.set_required_level();
        slot.store_config(id, &config, call.journal)
            .map_err(|refused| store_failed(&refused))?;
        self.act_on(
            call.context,
            call.journal,
            id,
            of.consumer,
            |consumer, context, _| {
                consumer.pause(context, until);
                None
            },
        );
        self.schedule(id);
        Ok(ConsumerPauseResponse {
            paused: until.is_some(),
            pause_until: request.pause_until,
            pause_remaining: until.map_or(0, |until| until - now_ns),
        })
    }

    pub(super) fn consumer_unpin(
        &mut self,
        call: &mut Call<'_, '_>,
        of: ConsumerCall<'_>,
    ) -> Result<ConsumerUnpinResponse, ApiError> {
        let request = UnpinRequest::parse(call.message.payload)?;
        let id = self.stream(of.stream)?.id;
        let mut known = true;
        let found = self.act_on(
            call.context,
            call.journal,
            id,
            of.consumer,
            |consumer, _, _| {
                known = consumer.unpin(&request.group);
                None
            },
        );
        if !found {
            return Err(ApiError::new(&error::CONSUMER_NOT_FOUND));
        }
        if !known {
            return Err(ApiError::new(&error::CONSUMER_INVALID_PRIORITY_GROUP));
        }
        Ok(ConsumerUnpinResponse {})
    }

    pub(super) fn consumer_reset(
        &mut self,
        call: &mut Call<'_, '_>,
        of: ConsumerCall<'_>,
    ) -> Outcome {
        let Ok(id) = self.stream(of.stream).map(|stream| stream.id) else {
            return Outcome::Done;
        };
        let request = match ResetRequest::parse(call.message.payload) {
            Ok(request) => request,
            Err(error) => return Outcome::of::<ConsumerResetResponse>(Err(error)),
        };
        let mut done = Ok(0);
        let found = self.act_on(
            call.context,
            call.journal,
            id,
            of.consumer,
            |consumer, _, source| {
                done = consumer.reset(source, Some(request.seq));
                None
            },
        );
        if !found {
            return Outcome::Done;
        }
        let identity = sourcing::asked_identity(self, id, call.message);
        let answer = done
            .map_err(|why| ApiError::with(&error::CONSUMER_INVALID_RESET, why))
            .and_then(|reset_seq| {
                let info = self.consumer_info_of(id, of.consumer, call)?;
                Ok(ConsumerResetResponse { info, reset_seq })
            });
        sourcing::answered(answer, identity)
    }

    /// A pull request (E38): answered by messages and statuses, with nobody's silence where there is no consumer.
    pub(super) fn consumer_next(
        &mut self,
        call: &mut Call<'_, '_>,
        of: ConsumerCall<'_>,
    ) -> Outcome {
        let Some(&id) = self.names.get(of.stream) else {
            return Outcome::Nobody;
        };
        let message = call.message;
        if let Some(status) = super::level_status(message) {
            let block = status.block();
            call.context.out.publish(message.reply, b"", &block, b"");
            return Outcome::Done;
        }
        let found = self.act_on(
            call.context,
            call.journal,
            id,
            of.consumer,
            |consumer, context, source| {
                consumer.request(context, source, message.reply, message.payload);
                None
            },
        );
        self.schedule(id);
        if found {
            Outcome::Done
        } else {
            Outcome::Nobody
        }
    }
}

/// Whether a consumer takes room from others; those that stand for other streams do not.
fn counts(config: &ConsumerConfig) -> bool {
    !config.direct && !config.sourcing
}

/// What a stream's other consumers and limits leave room for.
fn check_against_others(
    stream: &Stream,
    config: &ConsumerConfig,
    limits: &crate::config::Limits,
) -> Result<(), ApiError> {
    let others: Vec<ConsumerConfig> = stream
        .consumers
        .values()
        .map(|slot| slot.consumer.config())
        .filter(|other| counts(other))
        .cloned()
        .collect();
    let count = others.len();
    let own = [stream.config.max_consumers, limits.account.max_consumers];
    let by_default = match own.iter().any(|max| *max > 0) {
        true => 0,
        false => limits.server.default_max_consumers,
    };
    let full = [own[0], own[1], by_default]
        .into_iter()
        .filter_map(|max| usize::try_from(max).ok().filter(|max| *max > 0))
        .any(|max| count >= max);
    if full && !config.direct {
        return Err(ApiError::new(&error::MAXIMUM_CONSUMERS_LIMIT));
    }
    config.check_for_work_queue(&stream.config, others.iter())
}
