//! Lame duck: the server goes away, and sends its clients elsewhere one by one instead of all at
//! once. Reference row A70, ADR-5.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::{CloseReason, Connection, Engine, Event};

/// Time between two looks whether everybody has left.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Time that a client is given to read what waits for it before it is closed.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Steps that the leaving is spread over are no shorter than this.
const STEP_MIN: Duration = Duration::from_millis(1);

/// Tells the clients that can be told, waits the grace period, then closes everybody, evenly spread
/// over what is left of `duration`.
pub(crate) async fn send_everybody_away(engine: &Engine, grace: Duration, duration: Duration) {
    engine.lame_duck.store(true, Ordering::Relaxed);
    engine.note_event(|| Event::LameDuck);
    for connection in engine.connections.all() {
        if connection.takes_async_info.load(Ordering::Relaxed) {
            let line = engine.info_for(&connection, None, None);
            connection.deliver_bytes(&line);
        }
    }
    let grace = grace.min(duration);
    if !everybody_left(engine, grace).await {
        close_evenly(engine, duration - grace).await;
    }
}

/// Whether nobody is left before the time is over.
async fn everybody_left(engine: &Engine, within: Duration) -> bool {
    let left = async {
        while engine.connections.clients() > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(within, left).await.is_ok()
}

/// Closes everybody, evenly spread over `duration`.
async fn close_evenly(engine: &Engine, duration: Duration) {
    let all = engine.connections.all();
    let clients: Vec<_> = all
        .into_iter()
        .filter(|connection| connection.peer.is_some())
        .collect();
    let Some(step) = duration.checked_div(clients.len() as u32) else {
        return;
    };
    // Many clients leave in small crowds, so that the spacing stays measurable.
    let crowd = (STEP_MIN.as_nanos() / step.as_nanos().max(1)).max(1) as usize;
    for (number, leaving) in clients.chunks(crowd).enumerate() {
        if number > 0 {
            tokio::time::sleep(step * crowd as u32).await;
        }
        for connection in leaving {
            tokio::spawn(flush_and_close(Arc::clone(connection)));
        }
    }
    // Who was closed last may still be reading.
    everybody_left(engine, FLUSH_MAX).await;
}

/// What waits for a client is its own: it gets it, if it reads in time.
async fn flush_and_close(connection: Arc<Connection>) {
    let _ = tokio::time::timeout(FLUSH_MAX, connection.drained_to(0)).await;
    connection.close(CloseReason::ServerShutdown);
}
