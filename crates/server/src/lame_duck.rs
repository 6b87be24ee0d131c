//! Lame duck: the server goes away, and sends its clients elsewhere one by one instead of all at
//! once. Reference row A70, ADR-5.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::{CloseReason, Engine};

/// Steps that the leaving is spread over are no shorter than this.
const STEP_MIN: Duration = Duration::from_millis(1);

/// Tells the clients that can be told, waits the grace period, then closes everybody, evenly spread
/// over what is left of `duration`.
pub(crate) async fn send_everybody_away(engine: &Engine, grace: Duration, duration: Duration) {
    engine.lame_duck.store(true, Ordering::Relaxed);
    for connection in engine.connections.all() {
        if connection.takes_async_info.load(Ordering::Relaxed) {
            let line = engine.info_line(connection.id, connection.peer, false);
            connection.deliver_bytes(&line);
        }
    }
    let grace = grace.min(duration);
    tokio::time::sleep(grace).await;
    let clients: Vec<_> = engine
        .connections
        .all()
        .into_iter()
        .filter(|c| c.peer.is_some())
        .collect();
    let Some(step) = (duration - grace).checked_div(clients.len() as u32) else {
        return;
    };
    // Many clients leave in small crowds, so that the spacing stays measurable.
    let crowd = (STEP_MIN.as_nanos() / step.as_nanos().max(1)).max(1) as usize;
    for leaving in clients.chunks(crowd) {
        for connection in leaving {
            connection.close(CloseReason::ServerShutdown);
        }
        tokio::time::sleep(step * crowd as u32).await;
    }
}
