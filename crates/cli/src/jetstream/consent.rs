//! The question before something that can't be undone: asked on a terminal, answered by `--yes` everywhere
//! else.

use clap::Args;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::prompt;
use crate::text::jetstream as text;

/// The option of every command that destroys something.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    #[arg(short = 'f', long, alias = "force", help = text::yes())]
    pub(crate) yes: bool,
}

impl Consent {
    /// Goes on only if the person agrees.
    pub(crate) async fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !prompt::possible() {
            return Err(Failure::Usage {
                what: text::consent_needed(question),
                next: text::consent_needed_next().to_owned(),
            });
        }
        let mut interrupt = Interrupt::new()?;
        let answer = prompt::open(&text::yes_or_no(question), &mut interrupt).await?;
        match text::is_yes(&answer) {
            true => Ok(()),
            false => Err(Failure::Usage {
                what: text::declined().to_owned(),
                next: text::declined_next().to_owned(),
            }),
        }
    }
}
