//! How far the server's clock and ours are apart, where the server tells the time. The protocol's
//! own greeting does not; recado-server answers on `recado.time`.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::walk::{Finding, Step, Verdict};
use crate::connect;
use crate::settings::Settings;
use crate::span;
use crate::text::doctor as text;

/// Where recado-server tells the time.
const SUBJECT: &str = "recado.time";

/// How long the time is waited for.
const LIMIT: Duration = Duration::from_secs(1);

/// From this difference on, credentials with an expiry and times in logs mislead.
const APART_MAX: Duration = Duration::from_secs(2);

/// Compares the clocks.
pub(super) async fn compare(settings: &Settings) -> Finding {
    let mut settings = settings.clone();
    (settings.retry, settings.deadline) = (false, None);
    match ask(&settings).await {
        Some((server, middle, round_trip)) => judge(server, middle, round_trip),
        None => {
            let words = text::clock_not_told().to_owned();
            Finding::new(Step::Clock, Verdict::Note(words), None)
        }
    }
}

/// The server's time, ours in the middle of the round trip, and how long that took.
async fn ask(settings: &Settings) -> Option<(Timestamp, Timestamp, Duration)> {
    let session = connect::session(settings).await.ok()?;
    let before = Timestamp::now();
    let asked = session.client.request(SUBJECT, "".into());
    let answer = timeout(LIMIT, asked).await.ok()?.ok()?;
    let took = Timestamp::now().duration_since(before).unsigned_abs();
    let server = std::str::from_utf8(&answer.payload)
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some((server, before + took / 2, took))
}

fn judge(server: Timestamp, ours: Timestamp, round_trip: Duration) -> Finding {
    let ahead = server.duration_since(ours);
    let apart = ahead.unsigned_abs();
    // The answer was written somewhere within the round trip.
    let doubt = span::millis(round_trip / 2);
    let shown = match apart < Duration::from_secs(1) {
        true => span::millis(apart),
        false => span::show(apart),
    };
    let words = match ahead.is_negative() {
        true => text::clock_behind(&shown, &doubt),
        false => text::clock_ahead(&shown, &doubt),
    };
    let verdict = match apart > APART_MAX {
        true => Verdict::Note(text::clock_wrong(&words)),
        false => Verdict::Fine(words),
    };
    let mut finding = Finding::new(Step::Clock, verdict, Some(round_trip));
    finding.offset_ms = Some(ahead.as_secs_f64() * 1e3);
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(server: &str) -> Finding {
        let ours = "2026-01-01T00:00:00Z".parse().unwrap();
        judge(server.parse().unwrap(), ours, Duration::from_millis(1))
    }

    #[test]
    fn clocks_far_apart_are_pointed_out_and_a_small_difference_is_fine() {
        let near = judged("2026-01-01T00:00:00.5Z");
        assert!(matches!(near.verdict, Verdict::Fine(_)));
        assert_eq!(near.offset_ms, Some(500.0));
        let far = judged("2025-12-31T23:59:00Z");
        assert!(matches!(far.verdict, Verdict::Note(_)));
        assert_eq!(far.offset_ms, Some(-60_000.0));
    }
}
