//! Asks whoever is connected to the system account for the claims of an account (C52), as servers ask each other there.

use std::sync::Arc;
use std::time::Duration;

use super::callout::Audience;
use super::shared::Engine;

/// The token of the account `name`, from the first who answers within `patience`. Whose it is and who signed it is for the
/// caller to look at.
///
/// # Errors
/// Why there is none.
pub(crate) async fn look_up(
    engine: &Arc<Engine>,
    name: &str,
    patience: Duration,
) -> Result<String, String> {
    let subject = format!("$SYS.REQ.ACCOUNT.{name}.CLAIMS.LOOKUP");
    let system = engine.accounts.system();
    let inquiries = &engine.inquiries;
    let asked = inquiries.ask(engine, &system, (&subject, Audience::Clients), b"", b"");
    let mut waiting = asked.map_err(str::to_owned)?;
    let answer = match tokio::time::timeout(patience, waiting.answer()).await {
        Ok(Some(answer)) => answer,
        Ok(None) => return Err("the connection that asks was cut off".to_owned()),
        Err(_) => {
            return Err(format!(
                "nobody answered within {} ms",
                patience.as_millis()
            ));
        }
    };
    match String::from_utf8(answer.into()) {
        Ok(token) if token.trim().is_empty() => {
            Err("whoever was asked in the system account does not know it".to_owned())
        }
        Ok(token) => Ok(token),
        Err(_) => Err("the answer is not text".to_owned()),
    }
}
