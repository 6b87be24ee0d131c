//! What was said in a room before we came, if a stream keeps it. Chat itself stores nothing: whoever wants that,
//! makes the stream.

use serde_json::json;

use super::face::{Event, Face};
use super::protocol::{Said, as_name};
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::{api, reader};
use crate::text::chat as text;

/// Shows the newest of it, at most so much.
pub(super) async fn show(
    session: &mut Session,
    face: &mut Face,
    subject: &str,
    most: u64,
) -> Result<(), Failure> {
    let body = json!({ "subject": subject });
    let about = About::Streams;
    let found = api::all(session, "STREAM.NAMES", body, "streams", &about).await?;
    let Some(stream) = found.entries.first().and_then(|name| name.as_str()) else {
        return face.show(&Event::Remark(&text::no_stream(subject)));
    };
    let about = About::Stream(stream.to_owned());
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let past = reader::newest(session, stream, Some(subject), most, &about).await?;
    for stored in past {
        let said = Said::read(&stored.message.payload);
        let name = as_name(&said.from);
        face.show(&Event::Past {
            time: stored.time,
            name: name.as_deref().unwrap_or_else(|| text::somebody()),
            said: &said,
        })?;
    }
    Ok(())
}
