//! Every text with which the program starts, stops and refuses to, in both languages. Each enum's
//! words are one `match` of pairs without a catch-all: a message that lacks a language does not
//! compile. The engine's log lines are not here; they are English.

mod address;
mod life;
mod obstacle;
mod opening;
mod resources;
mod signal;
mod tls_problem;
mod verify;

pub use address::AddressProblem;
pub use life::LifeText;
pub use obstacle::Obstacle;
pub use opening::OpeningText;
pub use resources::ResourceText;
pub use signal::SignalProblem;
pub use verify::VerifyText;

use crate::config::Lang;

/// English and Spanish.
type Pair = (String, String);

fn choose(lang: Lang, (english, spanish): Pair) -> String {
    match lang {
        Lang::En => english,
        Lang::Es => spanish,
    }
}
