//! What the server was told to do: defaults, configuration file and flags, merged into [`Options`].

mod options;

pub use options::{
    Authorization, Limits, LogFormat, LogOptions, Options, Personality, PlainListener,
};
