//! What changes while the load goes on: users, permissions, certificates, and mistakes that must change nothing.

use std::time::{Duration, Instant};

use super::line::{Heard, Line, Way};
use super::place::{Desk, Form, PATIENCE, SHIFTING, VISITOR};
use super::tally::Shared;
use crate::error::{Error, Result};
use rustls::pki_types::CertificateDer;

/// Every so manieth configuration brings another certificate.
const SWAP_EVERY: u64 = 3;
/// Every so manieth has a mistake.
const MISTAKE_EVERY: u64 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Puts one configuration after the other in place, and looks whether each has its effects.
pub(super) fn reload(
    shared: &Shared,
    desk: &Desk,
    certificates: &[CertificateDer<'static>],
    pause: Duration,
) -> Result<()> {
    let (mut form, mut round) = (Form::default(), 0u64);
    // Another attempt begins with what the last one left.
    put(shared, desk, form)?;
    while shared.rest(pause) {
        round += 1;
        if round.is_multiple_of(MISTAKE_EVERY) {
            mistake(shared, desk, form)?;
        }
        let before = form;
        form.visitor = !form.visitor;
        form.there = !form.there;
        if round.is_multiple_of(SWAP_EVERY) {
            form.certificate = (form.certificate + 1) % certificates.len();
        }
        let say = if before.there {
            "SUB there.> 1\r\n"
        } else {
            "SUB here.> 1\r\n"
        };
        let mut shifting = shared.doors.open(Way::nth(round), round, SHIFTING, say)?;
        let over_tls = shared.doors.open(Way::Tls, round, SHIFTING, "")?;
        let visitor = match before.visitor {
            true => Some(shared.doors.open(Way::nth(round + 1), round, VISITOR, "")?),
            false => None,
        };
        put(shared, desk, form)?;
        if let Some(visitor) = visitor {
            must_end(shared, visitor)?;
        }
        must_lose_its_subscription(shared, &mut shifting)?;
        look_at_visitor(shared, form, round)?;
        if form.certificate != before.certificate {
            look_at_certificate(shared, over_tls, &certificates[form.certificate])?;
        }
    }
    Ok(())
}

/// Returns when it is in force.
fn put(shared: &Shared, desk: &Desk, form: Form) -> Result<()> {
    let before = shared.monitor.varz()?["config_load_time"].clone();
    desk.put(form)?;
    let asked = Instant::now();
    while shared.monitor.varz()?["config_load_time"] == before {
        if asked.elapsed() > PATIENCE {
            return Err(Error::Server(format!(
                "the configuration was not read within {} s",
                PATIENCE.as_secs()
            )));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    shared.tally.add("reloads", 1);
    Ok(())
}

/// What is wrong must not come in force; what is right is put back.
fn mistake(shared: &Shared, desk: &Desk, form: Form) -> Result<()> {
    let before = shared.monitor.varz()?["config_load_time"].clone();
    desk.put_mistake(form)?;
    shared.rest(Duration::from_secs(1));
    if shared.monitor.varz()?["config_load_time"] != before {
        let what = "a configuration with a mistake came in force".to_owned();
        shared.tally.wrong("mistakes taken over", what);
    }
    shared.tally.add("reloads refused", 1);
    Ok(())
}

/// A user that is there no more is connected no more.
fn must_end(shared: &Shared, mut line: Line) -> Result<()> {
    if !line.read_to_the_end(PATIENCE)? {
        let what = "a user that was removed stayed connected".to_owned();
        shared.tally.wrong("removed users that stayed", what);
    }
    Ok(())
}

/// What is not allowed any more ends, and is told.
fn must_lose_its_subscription(shared: &Shared, line: &mut Line) -> Result<()> {
    match line.hear(PATIENCE)? {
        Some(Heard::Refusal(text)) if text.contains("Permissions Violation") => {}
        other => {
            let what = format!("{other:?} instead of a refusal");
            shared.tally.wrong("permissions that did not end", what);
        }
    }
    line.flush()
}

fn look_at_visitor(shared: &Shared, form: Form, round: u64) -> Result<()> {
    match shared.doors.open(Way::nth(round), round, VISITOR, "") {
        Ok(_) if form.visitor => Ok(()),
        Err(Error::Refused(text)) if !form.visitor && text.contains("Authorization") => Ok(()),
        Ok(_) => {
            let what = "a user that was removed was let in".to_owned();
            shared.tally.wrong("users let in wrongly", what);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Who comes now is shown the new certificate; who was there stays.
fn look_at_certificate(
    shared: &Shared,
    mut stays: Line,
    certificate: &CertificateDer<'static>,
) -> Result<()> {
    let comes = shared.doors.open(Way::Tls, 0, SHIFTING, "")?;
    if comes.certificate() != Some(certificate) {
        let what = "a new connection was shown the old one".to_owned();
        shared.tally.wrong("certificates not exchanged", what);
    }
    stays.flush()?;
    shared.tally.add("certificates exchanged", 1);
    Ok(())
}
