//! Pull requests in service: which are taken, which one a message goes to, how each ends (E100 to E119).

use super::Consumer;
use super::priority::Verdict;
use super::requests::{PullRequest, Waiting};
use super::source::Source;
use super::status;
use crate::config::PriorityPolicy;
use crate::context::Context;
use crate::time::format_duration;

/// Bytes to one request after which it is looked whether its client keeps up.
const CHECK_BYTES: u64 = 64 * 1024;
/// When nobody keeps up, delivery goes on after so long.
const CONGESTED_NS: i64 = 2_000_000;
/// How often inboxes of waiting requests are looked at for interest when a full queue asks for it.
const SWEEP_WHEN_FULL_NS: i64 = 1_000_000_000;

impl Consumer {
    /// A request for messages came, to be answered to `reply`. Call [`Self::deliver_ready`] after it.
    pub fn request(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        reply: &[u8],
        body: &[u8],
    ) {
        if reply.is_empty() {
            return;
        }
        if let Err(refusal) = self.take_request(ctx, source, reply, body) {
            self.tell(ctx, reply, &refusal);
        }
    }

    fn take_request(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        reply: &[u8],
        body: &[u8],
    ) -> Result<(), String> {
        if self.push.is_some() {
            return Err(status::PUSH_BASED.to_owned());
        }
        let request = PullRequest::parse(body).map_err(|why| format!("400 Bad Request - {why}"))?;
        self.check_limits(&request)?;
        self.check_group(ctx, request.group.as_ref())?;
        let full = self.waiting.len() >= self.settings.waiting_max;
        if full && ctx.now_ns.saturating_sub(self.activity.swept_ns) > SWEEP_WHEN_FULL_NS {
            self.sweep_waiting(ctx);
        }
        self.activity.used_ns = ctx.now_ns;
        if request.no_wait {
            self.check_no_wait(ctx, source, &request)?;
        }
        if self.waiting.len() >= self.settings.waiting_max {
            // A client with heartbeats misses them and asks again in its own time: a refusal would make it
            // ask in a loop.
            return match request.heartbeat_ns > 0 {
                true => Ok(()),
                false => Err(status::EXCEEDED_MAX_WAITING.to_owned()),
            };
        }
        let waiting = Waiting::new(request, reply, ctx.now_ns);
        self.waiting.push(waiting, self.by_priority());
        Ok(())
    }

    fn check_limits(&self, request: &PullRequest) -> Result<(), String> {
        let settings = &self.settings;
        if let Some(max) = settings.batch_max.filter(|max| request.batch > *max) {
            return Err(format!("409 Exceeded MaxRequestBatch of {max}"));
        }
        if let Some(max) = settings
            .expires_max_ns
            .filter(|max| request.expires_ns > *max)
        {
            return Err(format!(
                "409 Exceeded MaxRequestExpires of {}",
                format_duration(max)
            ));
        }
        if let Some(max) = settings.bytes_max.filter(|max| request.bytes_max > *max) {
            return Err(format!("409 Exceeded MaxRequestMaxBytes of {max}"));
        }
        Ok(())
    }

    fn check_no_wait(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        request: &PullRequest,
    ) -> Result<(), String> {
        self.position.catch_up(&mut self.filters, source);
        let there = self.position.ahead() + self.unacked.queued() as u64;
        if there == 0 && request.expires_ns == 0 {
            return Err(status::NO_MESSAGES.to_owned());
        }
        if there > 0 {
            self.sweep_waiting(ctx);
            let claims = self.waiting.iter().map(Waiting::claimed);
            let claimed = claims.fold(0, u64::saturating_add);
            if there < claimed {
                return Err(status::REQUESTS_PENDING.to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn by_priority(&self) -> bool {
        self.settings.priority == PriorityPolicy::Prioritized
    }

    /// Brings a request to the front that takes a message of so many bytes. Whether there is one.
    pub(super) fn choose_waiting(&mut self, ctx: &mut Context<'_>, bytes: u64) -> bool {
        let (mut passed, mut congested) = (0, false);
        while passed < self.waiting.len() {
            let Some(front) = self.waiting.front_mut() else {
                return false;
            };
            if front.unchecked_bytes >= CHECK_BYTES {
                if ctx.out.is_congested(&front.inbox) {
                    congested = true;
                    self.waiting
                        .rotate(self.settings.priority == PriorityPolicy::Prioritized);
                    passed += 1;
                    continue;
                }
                front.unchecked_bytes = 0;
            }
            if ctx.now_ns >= front.expires_ns {
                self.end_front(ctx, status::REQUEST_TIMEOUT);
                continue;
            }
            let claims = match self.priority_verdict(ctx) {
                Verdict::Serve { claims } => claims,
                Verdict::Pass => {
                    self.waiting.rotate(false);
                    passed += 1;
                    continue;
                }
                Verdict::End => {
                    self.end_front(ctx, status::WRONG_PIN);
                    continue;
                }
            };
            let Some(front) = self.waiting.front_mut() else {
                return false;
            };
            if front.is_exceeded_by(bytes) {
                self.end_front(ctx, status::EXCEEDS_MAX_BYTES);
            } else if !claims {
                return true;
            } else if ctx.out.has_interest(&front.inbox, None) {
                self.pin_front(ctx);
                return true;
            } else {
                self.waiting.pop_front();
            }
        }
        if congested {
            self.activity.congested_until_ns = Some(ctx.now_ns.saturating_add(CONGESTED_NS));
        }
        false
    }

    /// Gives a message to the request at the front. If nobody listens to it, the request is dropped.
    pub(super) fn hand_to_front(
        &mut self,
        ctx: &mut Context<'_>,
        subject: &[u8],
        headers: &[u8],
        payload: &[u8],
        bytes: u64,
    ) -> bool {
        let headers = match &self.pin {
            Some(pin) => {
                status::with_header(&mut self.pin_scratch, headers, status::PIN_ID, &pin.id);
                &self.pin_scratch
            }
            None => headers,
        };
        let by_priority = self.by_priority();
        let Some(front) = self.waiting.front_mut() else {
            return false;
        };
        let ack_subject = self.ack_writer.written();
        if !ctx
            .out
            .deliver(&front.inbox, subject, ack_subject, headers, payload)
        {
            self.waiting.pop_front();
            return false;
        }
        if !front.take(bytes, ctx.now_ns) {
            self.waiting.rotate(by_priority);
        } else if let Some(done) = self.waiting.pop_front()
            && done.bytes_left > 0
        {
            self.tell_rest(ctx, &done, status::BATCH_COMPLETED);
        }
        true
    }

    fn end_front(&mut self, ctx: &mut Context<'_>, text: &str) {
        if let Some(request) = self.waiting.pop_front() {
            self.tell_rest(ctx, &request, text);
        }
    }

    /// Nothing more is there: tells those who do not wait for it.
    pub(super) fn answer_no_wait(&mut self, ctx: &mut Context<'_>) {
        let scratch = &mut self.scratch;
        status::plain(scratch, status::NO_MESSAGES);
        self.waiting.retain(|request| {
            let ends = request.no_wait && (request.expires_ns == i64::MAX || request.delivered > 0);
            if ends {
                ctx.out.publish(&request.inbox, b"", scratch, b"");
            }
            !ends
        });
    }

    /// Ends requests whose time is over or that nobody listens to, and sends their heartbeats.
    pub(super) fn sweep_waiting(&mut self, ctx: &mut Context<'_>) {
        let now_ns = ctx.now_ns;
        self.activity.swept_ns = now_ns;
        let last = self.last_seen();
        let scratch = &mut self.scratch;
        let used_ns = &mut self.activity.used_ns;
        self.waiting.retain(|request| {
            if now_ns >= request.expires_ns {
                // Who waited to the end has used it until now, and has yet to ask again.
                if ctx.out.has_interest(&request.inbox, None) {
                    *used_ns = now_ns;
                }
                status::with_rest(
                    scratch,
                    status::REQUEST_TIMEOUT,
                    request.left,
                    request.bytes_left,
                );
                ctx.out.publish(&request.inbox, b"", scratch, b"");
                return false;
            }
            if !ctx.out.has_interest(&request.inbox, None) {
                return false;
            }
            if now_ns >= request.heartbeat_at_ns {
                status::heartbeat(scratch, last.consumer_seq, last.stream_seq, "");
                ctx.out.publish(&request.inbox, b"", scratch, b"");
                request.heartbeat_at_ns = now_ns.saturating_add(request.heartbeat_ns);
            }
            true
        });
    }

    /// Ends all requests that wait, because the consumer is deleted.
    pub fn end_deleted(&mut self, ctx: &mut Context<'_>) {
        while let Some(request) = self.waiting.pop_front() {
            self.tell(ctx, &request.inbox, status::CONSUMER_DELETED);
        }
    }

    /// Ends all requests that wait, because the server stops.
    pub fn end_shutdown(&mut self, ctx: &mut Context<'_>) {
        while let Some(request) = self.waiting.pop_front() {
            self.tell_rest(ctx, &request, status::SERVER_SHUTDOWN);
        }
    }

    pub(super) fn tell(&mut self, ctx: &mut Context<'_>, inbox: &[u8], text: &str) {
        status::plain(&mut self.scratch, text);
        ctx.out.publish(inbox, b"", &self.scratch, b"");
    }

    fn tell_rest(&mut self, ctx: &mut Context<'_>, request: &Waiting, text: &str) {
        // Not the scratch buffer: it may hold the headers of the message that is on its way.
        let mut headers = Vec::new();
        status::with_rest(&mut headers, text, request.left, request.bytes_left);
        ctx.out.publish(&request.inbox, b"", &headers, b"");
    }
}
