//! `recado explain`: where is my message? Asks a recado-server where a message on a subject would go now, and what was
//! lost of its like in the last minutes. Nothing is published on the subject.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::amount;
use crate::connect;
use crate::document::{heading, is, line, list, number, words};
use crate::exit::Status;
use crate::failure::Failure;
use crate::jetstream::api;
use crate::settings::Settings;
use crate::span;
use crate::subject;
use crate::terminal::Out;
use crate::text::{explain as text, help};

/// Where it is asked.
const SUBJECT: &str = "$SYS.REQ.ACCOUNT.PING.EXPLAIN";

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = help::value_subject(), value_parser = subject::literal,
        help = text::help_subject())]
    subject: String,
    #[arg(long, value_name = text::value_account(), help = text::help_account())]
    account: Option<String>,
    #[arg(long = "as", value_name = help::value_name(), help = text::help_as())]
    publisher: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut session = connect::session(settings).await?;
    let question = json!({
        "subject": arguments.subject,
        "account": arguments.account.as_deref().unwrap_or_default(),
        "user": arguments.publisher.as_deref().unwrap_or_default(),
    });
    let payload = question.to_string().into();
    let answer = api::request(&mut session, SUBJECT.to_owned(), None, payload).await?;
    let answer = answer.and_then(|message| serde_json::from_slice::<Value>(&message.payload).ok());
    let label = session.label();
    let Some(mut answer) = answer else {
        return Err(Failure::Streams {
            status: Status::Server,
            err_code: None,
            what: text::not_ours(label),
            next: text::not_ours_next().to_owned(),
        });
    };
    if let Some(said) = answer["error"]["description"].as_str() {
        return Err(Failure::Streams {
            status: match answer["error"]["code"].as_u64() {
                Some(403) => Status::Permission,
                _ => Status::Server,
            },
            err_code: None,
            what: text::refused(label, said),
            next: text::refused_next().to_owned(),
        });
    }
    let told = answer["data"].take();
    let mut out = Out::new();
    match as_json {
        true => out.json(&told)?,
        false => show(&mut out, &told)?,
    }
    out.flush()?;
    match verdict(&told) {
        Status::Done => Ok(()),
        status => Err(Failure::Told(status)),
    }
}

/// What the exit status says of it.
fn verdict(told: &Value) -> Status {
    if is(&told["received"]) || is(&told["stored"]) {
        return Status::Done;
    }
    let may = list(&told["outcomes"]).any(|outcome| is(&outcome["publish"]["allowed"]));
    match may {
        true => Status::NoResponders,
        false => Status::Permission,
    }
}

fn bytes(value: &Value) -> String {
    amount::show_size(number(value))
}

fn show(out: &mut Out, told: &Value) -> Result<(), Failure> {
    let (subject, account) = (words(&told["subject"]), words(&told["account"]));
    let title = match told["user"].as_str() {
        Some(user) => text::title_as(subject, account, user),
        None => text::title(subject, account),
    };
    heading(out, 0, &title)?;
    let mapping = told["mapping"].as_str();
    if let Some(source) = mapping {
        line(out, 1, &text::renamed(source))?;
        for outcome in list(&told["outcomes"]) {
            let (percent, to) = (number(&outcome["percent"]), words(&outcome["subject"]));
            line(out, 2, &text::share(percent, to))?;
        }
    }
    for outcome in list(&told["outcomes"]) {
        if mapping.is_some() {
            out.line("")?;
            let (percent, to) = (number(&outcome["percent"]), words(&outcome["subject"]));
            heading(out, 0, &text::heading(to, percent))?;
        }
        show_outcome(out, outcome)?;
        show_streams(out, told, words(&outcome["subject"]))?;
    }
    if let Some(why) = told["streams_unknown"].as_str() {
        line(out, 1, &text::streams_unknown(why))?;
    }
    show_drops(out, told)?;
    match verdict(told) {
        Status::NoResponders => end(out, text::nobody()),
        Status::Permission => end(out, text::stopped()),
        _ => Ok(()),
    }
}

fn end(out: &mut Out, words: &str) -> Result<(), Failure> {
    out.line("")?;
    heading(out, 0, words)
}

fn show_outcome(out: &mut Out, outcome: &Value) -> Result<(), Failure> {
    let publish = &outcome["publish"];
    let rule = publish["rule"].as_str();
    let may = match (is(&publish["allowed"]), rule) {
        (true, Some(rule)) => text::may_by_rule(rule),
        (true, None) => text::may_open().to_owned(),
        (false, Some(rule)) => text::denied(rule),
        (false, None) => text::not_allowed().to_owned(),
    };
    line(out, 1, &may)?;
    if is(&publish["as_answer"]) {
        line(out, 1, text::as_answer())?;
    }
    if !is(&publish["allowed"]) {
        line(out, 1, text::otherwise())?;
    }
    // Where streams listen, the server itself is subscribed: they are shown on their own.
    let subscribers: Vec<&Value> = list(&outcome["subscribers"])
        .filter(|one| !is(&one["server"]) || words(&outcome["subject"]).starts_with('$'))
        .collect();
    if !subscribers.is_empty() {
        heading(out, 1, text::subscribers())?;
        let unlisted = number(&outcome["subscriber_count"])
            .saturating_sub(list(&outcome["subscribers"]).count() as u64);
        receivers(out, &subscribers, unlisted)?;
    }
    for group in list(&outcome["queue_groups"]) {
        heading(out, 1, &text::group(words(&group["name"])))?;
        let members: Vec<&Value> = list(&group["members"]).collect();
        let unlisted = number(&group["member_count"]).saturating_sub(members.len() as u64);
        receivers(out, &members, unlisted)?;
    }
    if list(&outcome["services"]).next().is_some() {
        heading(out, 1, text::services())?;
    }
    for service in list(&outcome["services"]) {
        let (account, subject) = (words(&service["account"]), words(&service["subject"]));
        let facts = [
            text::in_account(account, subject),
            text::responders(number(&service["responders"])),
        ];
        line(out, 2, &facts.join(" · "))?;
    }
    if list(&outcome["elsewhere"]).next().is_some() {
        heading(out, 1, text::elsewhere())?;
    }
    for one in list(&outcome["elsewhere"]) {
        line(out, 2, &elsewhere(one))?;
    }
    Ok(())
}

/// What another account has and does not reach this one, in a line.
fn elsewhere(one: &Value) -> String {
    let (account, subject) = (words(&one["account"]), words(&one["subject"]));
    let is_service = words(&one["kind"]) == "service";
    let why = words(&one["why"]);
    let is_export = matches!(why, "not_imported" | "other_name")
        || (why == "not_granted" && one["here"].is_null());
    let mut facts = vec![match (is_export, is_service) {
        (true, true) => text::crossing_service(account, subject),
        (true, false) => text::crossing_stream(account, subject),
        (false, true) => text::import_service(subject, account),
        (false, false) => text::import_stream(subject, account),
    }];
    facts.extend(one["importer"].as_str().map(text::imported_by));
    facts.extend(one["here"].as_str().map(text::called_here));
    let reason = match why {
        "other_name" => None,
        "not_imported" => Some(text::not_imported()),
        "not_granted" => Some(text::not_granted()),
        "not_exported" => Some(text::not_exported()),
        "exporter_unknown" => Some(text::exporter_unknown()),
        "no_activation" => Some(text::no_activation()),
        "activation_revoked" => Some(text::activation_revoked()),
        "activation_over" => Some(text::activation_over()),
        "activation_not_yet" => Some(text::activation_not_yet()),
        "misnamed" => Some(text::misnamed()),
        // Of a newer server.
        other => Some(other),
    };
    facts.extend(reason.map(str::to_owned));
    facts.join(" · ")
}

fn receivers(out: &mut Out, all: &[&Value], unlisted: u64) -> Result<(), Failure> {
    for one in all {
        line(out, 2, &receiver(one))?;
    }
    match unlisted {
        0 => Ok(()),
        count => line(out, 2, &text::more(count)),
    }
}

/// One subscription in a line.
fn receiver(one: &Value) -> String {
    let mut facts = Vec::new();
    if let Some(account) = one["account"].as_str() {
        facts.push(text::in_account(account, words(&one["subject"])));
    }
    if is(&one["server"]) {
        facts.push(text::server_part().to_owned());
    } else if let Some(cid) = one["cid"].as_u64() {
        let client = text::by_client(cid);
        facts.push(match one["name"].as_str() {
            Some(name) => format!("{client} {name}"),
            None => client,
        });
    }
    facts.extend(one["user"].as_str().map(text::as_user));
    facts.extend(one["filter"].as_str().map(text::on_filter));
    if number(&one["pending_bytes"]) > 0 {
        facts.push(text::waiting(&bytes(&one["pending_bytes"])));
    }
    if is(&one["without_headers"]) {
        facts.push(text::no_headers().to_owned());
    }
    if !is(&one["gets"]) {
        facts.push(match one["denied_by"].as_str() {
            Some(rule) => text::kept_out(rule),
            None => text::kept_out_somehow().to_owned(),
        });
    }
    facts.join(" · ")
}

fn show_streams(out: &mut Out, told: &Value, subject: &str) -> Result<(), Failure> {
    let streams: Vec<&Value> = list(&told["streams"])
        .filter(|stream| words(&stream["subject"]) == subject)
        .collect();
    if streams.is_empty() {
        return Ok(());
    }
    heading(out, 1, text::streams())?;
    for stream in streams {
        let name = words(&stream["name"]);
        let mut facts = vec![
            match (stream["refuses"].as_str(), stream["stored_as"].as_str()) {
                (Some("sealed"), _) => text::is_sealed(name),
                (Some(_), _) => text::is_full(name),
                (None, Some(kept)) => text::stores_as(name, kept),
                (None, None) => text::stores(name),
            },
        ];
        if stream["max_msg_size"].is_u64() {
            facts.push(text::at_most(&bytes(&stream["max_msg_size"])));
        }
        line(out, 2, &facts.join(" · "))?;
        for consumer in list(&stream["consumers"]) {
            let mut facts = vec![text::consumer(words(&consumer["name"]))];
            if is(&consumer["paused"]) {
                facts.push(text::paused().to_owned());
            }
            facts.push(text::pending(number(&consumer["num_pending"])));
            if number(&consumer["num_ack_pending"]) > 0 {
                facts.push(text::unacked(number(&consumer["num_ack_pending"])));
            }
            line(out, 3, &facts.join(" · "))?;
        }
        let listed = list(&stream["consumers"]).count() as u64;
        if let Some(more) = number(&stream["consumer_count"]).checked_sub(listed)
            && more > 0
        {
            line(out, 3, &text::more(more))?;
        }
    }
    Ok(())
}

fn show_drops(out: &mut Out, told: &Value) -> Result<(), Failure> {
    if list(&told["drops"]).next().is_none() {
        return Ok(());
    }
    out.line("")?;
    heading(out, 0, text::drops())?;
    for one in list(&told["drops"]) {
        let since = Duration::from_secs(number(&one["seconds_ago"]));
        let mut facts = vec![match since.is_zero() {
            true => text::just_now().to_owned(),
            false => text::ago(&span::show(since)),
        }];
        if number(&one["times"]) > 1 {
            facts.push(text::times(number(&one["times"])));
        }
        facts.push(match words(&one["why"]) {
            "publish_denied" => text::lost_denied().to_owned(),
            "answer_not_granted" => text::lost_answer().to_owned(),
            "slow_consumer" => text::lost_slow(&bytes(&one["pending_bytes"])),
            "no_responders" => text::lost_nobody().to_owned(),
            "refused_by_stream" => {
                text::lost_refused(words(&one["stream"]), number(&one["err_code"]))
            }
            "unanswered" => text::lost_unanswered().to_owned(),
            "too_large" => text::lost_too_large(&bytes(&one["bytes"]), &bytes(&one["max_bytes"])),
            "reserved_subject" => text::lost_reserved().to_owned(),
            "delivery_denied" => text::lost_kept_out().to_owned(),
            "crossed_too_often" => text::lost_in_circle().to_owned(),
            other => other.to_owned(),
        });
        facts.extend(one["cid"].as_u64().map(text::by_client));
        line(out, 1, &facts.join(" · "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_says_whether_anybody_gets_it_and_why_not() {
        let told = |received, allowed| {
            json!({"received": received, "stored": false,
                "outcomes": [{"publish": {"allowed": allowed}}]})
        };
        assert_eq!(verdict(&told(true, true)), Status::Done);
        assert_eq!(verdict(&told(false, true)), Status::NoResponders);
        assert_eq!(verdict(&told(false, false)), Status::Permission);
    }
}
