//! Push: whether somebody listens, flow control's window, the rate, heartbeats (E113, E114, E128).

use recado_wire::Headers;

use super::Consumer;
use super::acks::Confirmation;
use super::settings::PushSettings;
use super::source::Source;
use super::status;
use crate::context::Context;

/// Bytes that may be on their way to a client when flow control is at its widest.
const WINDOW_MAX: u64 = 32 * 1024 * 1024;
const WINDOW_START: u64 = WINDOW_MAX / 16;
/// How far ahead of its rate a consumer may be: timers are no finer than that.
const RATE_AHEAD_NS: i64 = 10_000_000;
/// How often to look for interest where it matters, besides when its owner says that it changed.
const INTEREST_CHECK_NS: i64 = 250_000_000;

/// A push consumer's state.
#[derive(Debug)]
pub(super) struct Push {
    /// Somebody listens.
    pub(super) bound: bool,
    checked_ns: i64,
    heartbeat_at_ns: Option<i64>,
    window: Option<Window>,
    /// The rate allows the next message from here on.
    rate_due_ns: i64,
    /// When to go on that was held for its rate.
    rate_alarm_ns: Option<i64>,
}

/// Flow control's account of bytes on their way.
#[derive(Debug)]
struct Window {
    bytes_max: u64,
    bytes: u64,
    asked: Option<Asked>,
}

/// An answer that is waited for.
#[derive(Debug)]
struct Asked {
    reply: String,
    /// The bytes that it stands for.
    bytes: u64,
}

impl Push {
    pub(super) fn new(settings: &PushSettings, now_ns: i64) -> Self {
        let window = Window {
            bytes_max: WINDOW_START,
            bytes: 0,
            asked: None,
        };
        Self {
            bound: false,
            checked_ns: i64::MIN,
            heartbeat_at_ns: settings
                .heartbeat_ns
                .map(|every| now_ns.saturating_add(every)),
            window: settings.flow_control.then_some(window),
            rate_due_ns: i64::MIN,
            rate_alarm_ns: None,
        }
    }

    pub(super) fn may_deliver(&self, now_ns: i64) -> bool {
        let open = self
            .window
            .as_ref()
            .is_none_or(|window| window.bytes <= window.bytes_max);
        self.bound && open && self.rate_due_ns.saturating_sub(RATE_AHEAD_NS) <= now_ns
    }

    /// When something is to be done without anything coming in.
    pub(super) fn next_deadline_ns(&self) -> Option<i64> {
        let check = self.checked_ns.saturating_add(INTEREST_CHECK_NS);
        [self.heartbeat_at_ns, self.rate_alarm_ns, Some(check)]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Window {
    /// Counts a message, and says whether to ask for an answer now.
    fn add(&mut self, bytes: u64, stalled: bool) -> bool {
        self.bytes += bytes;
        match &mut self.asked {
            None => self.bytes > self.bytes_max / 2 || stalled,
            Some(asked) => {
                if self.bytes.saturating_sub(asked.bytes) >= self.bytes_max {
                    asked.bytes += bytes;
                }
                false
            }
        }
    }
}

impl Consumer {
    /// Subscriptions may have changed where this consumer pushes to. Call [`Self::deliver_ready`] after it.
    pub fn interest_changed(&mut self, ctx: &mut Context<'_>) {
        let (Some(push), Some(settings)) = (&mut self.push, &self.settings.push) else {
            return;
        };
        push.checked_ns = ctx.now_ns;
        let bound = ctx
            .out
            .is_listened_to(&settings.subject, settings.group.as_deref());
        if push.bound && !bound {
            self.activity.used_ns = ctx.now_ns;
        }
        push.bound = bound;
    }

    /// Whether somebody listens where this consumer pushes to.
    pub fn is_push_bound(&self) -> bool {
        self.push.as_ref().is_some_and(|push| push.bound)
    }

    /// Whether it would push if somebody listened.
    pub fn is_unheard(&self) -> bool {
        self.push.as_ref().is_some_and(|push| !push.bound)
    }

    pub(super) fn push_out(
        &mut self,
        ctx: &mut Context<'_>,
        subject: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        let (Some(push), Some(settings)) = (&mut self.push, &self.settings.push) else {
            return false;
        };
        let ack_subject = self.ack_writer.written();
        let taken = ctx
            .out
            .deliver(&settings.subject, subject, ack_subject, headers, payload);
        if !taken {
            push.bound = false;
            push.checked_ns = ctx.now_ns;
            self.activity.used_ns = ctx.now_ns;
        }
        taken
    }

    /// Counts a pushed message against the window and the rate, and puts off the heartbeat.
    pub(super) fn after_push(&mut self, ctx: &mut Context<'_>, bytes: u64) {
        let (Some(push), Some(settings)) = (&mut self.push, &self.settings.push) else {
            return;
        };
        if let Some(every) = settings.heartbeat_ns {
            push.heartbeat_at_ns = Some(ctx.now_ns.saturating_add(every));
        }
        if let Some(rate) = settings.rate_bits_per_second {
            let takes_ns = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate);
            let takes_ns = i64::try_from(takes_ns).unwrap_or(i64::MAX);
            push.rate_due_ns = push.rate_due_ns.max(ctx.now_ns).saturating_add(takes_ns);
            push.rate_alarm_ns = Some(push.rate_due_ns.saturating_sub(RATE_AHEAD_NS));
        }
        let stalled =
            self.settings.flow_acks && self.unacked.len() >= self.settings.ack_pending_max;
        if push
            .window
            .as_mut()
            .is_some_and(|window| window.add(bytes, stalled))
        {
            self.ask_flow_control(ctx);
        }
    }

    fn ask_flow_control(&mut self, ctx: &mut Context<'_>) {
        let path = self.ack_writer.path();
        let reply = format!("$JS.FC.{path}{:08x}", (ctx.random)() as u32);
        let (Some(push), Some(settings)) = (&mut self.push, &self.settings.push) else {
            return;
        };
        let Some(window) = &mut push.window else {
            return;
        };
        let mut headers = Vec::new();
        status::plain(&mut headers, status::FLOW_CONTROL);
        ctx.out
            .publish(&settings.subject, reply.as_bytes(), &headers, b"");
        window.asked = Some(Asked {
            reply,
            bytes: window.bytes,
        });
    }

    /// A client answered a flow control request. Call [`Self::deliver_ready`] after it.
    pub fn flow_control(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        subject: &[u8],
        headers: &[u8],
    ) {
        let window = self.push.as_mut().and_then(|push| push.window.as_mut());
        let Some(window) = window else { return };
        // Only the latest one counts.
        let Some(asked) = window
            .asked
            .take_if(|asked| asked.reply.as_bytes() == subject)
        else {
            return;
        };
        window.bytes_max = window.bytes_max.saturating_mul(2).min(WINDOW_MAX);
        window.bytes = window.bytes.saturating_sub(asked.bytes);
        if self.settings.flow_acks {
            self.ack_by_flow_control(ctx, source, headers);
        }
    }

    fn ack_by_flow_control(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        headers: &[u8],
    ) {
        let headers = Headers::new(headers);
        let number = |name| headers.get(name).and_then(|text| text.parse::<u64>().ok());
        let consumer_seq = number(status::LAST_CONSUMER).unwrap_or(0);
        if let Some(stream_seq) = number(status::LAST_STREAM).filter(|seq| *seq > 0) {
            let _: Confirmation = self.settle_upto(ctx, source, stream_seq, consumer_seq);
        }
    }

    /// What the time brings: whether somebody listens, a heartbeat.
    pub(super) fn tick_push(&mut self, ctx: &mut Context<'_>) {
        let Some(push) = &mut self.push else { return };
        if ctx.now_ns >= push.checked_ns.saturating_add(INTEREST_CHECK_NS) {
            self.interest_changed(ctx);
        }
        let (Some(push), Some(settings)) = (&mut self.push, &self.settings.push) else {
            return;
        };
        push.rate_alarm_ns = push.rate_alarm_ns.filter(|alarm| *alarm > ctx.now_ns);
        let Some(every) = settings.heartbeat_ns else {
            return;
        };
        if push.heartbeat_at_ns.is_none_or(|at| ctx.now_ns < at) {
            return;
        }
        push.heartbeat_at_ns = Some(ctx.now_ns.saturating_add(every));
        if push.bound {
            self.send_heartbeat(ctx);
        }
    }

    fn send_heartbeat(&mut self, ctx: &mut Context<'_>) {
        let last = self.last_seen();
        let (Some(push), Some(settings)) = (&self.push, &self.settings.push) else {
            return;
        };
        let asked = push
            .window
            .as_ref()
            .and_then(|window| window.asked.as_ref());
        let stalled = asked.map_or("", |asked| asked.reply.as_str());
        status::heartbeat(
            &mut self.scratch,
            last.consumer_seq,
            last.stream_seq,
            stalled,
        );
        ctx.out.publish(&settings.subject, b"", &self.scratch, b"");
        // At the end of the stream nobody else would ask for the acks of what is left.
        if self.settings.flow_acks && self.unacked.len() > 0 && asked.is_none() {
            self.ask_flow_control(ctx);
        }
    }
}
