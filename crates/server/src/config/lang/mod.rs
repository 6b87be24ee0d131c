//! nats-server's configuration language: from text to values with their places.
//!
//! [`parse_file`] follows `include`s and `$VARIABLES` through
//! [`Surroundings`](super::surroundings::Surroundings) and never touches the machine by itself.
//! It knows no key: what keys mean is told in [`keys`](super::keys). No input makes it panic,
//! recurse without bound or read without end.
//!
//! Where it differs from nats-server 2.15, on purpose:
//!
//! | text | nats-server | here |
//! |---|---|---|
//! | `[1,2]` | reads on past the `]` | an array of two numbers |
//! | `key{ … }` | key `key{` | a map, as with a space before the brace |
//! | `1.5s`, `1e3`, `./file`, `10.0.0.0/8` | error | bare words, as `15s` is |
//! | a line that starts with `,` | error | the separator, as in JSON |
//! | `key:` or `key: ,` with nothing after it | an empty string | error |
//! | `word'` | `word` | error |
//! | `include /abs/path` | below the including file's directory | the absolute path |
//! | 8e18-and-more sizes | wrap around | error |
//! | `\xff` in a string | any byte | what the escapes make must be UTF-8 |
//! | surplus `}` or missing last `}` of the whole file | silent | accepted with a warning |
//! | `)` of a block before CR LF | not seen | ends the block |
//! | `)` of a block as the last byte of the file | part of the block's text too | ends the block |

mod cursor;
mod digest;
mod parser;
mod scalar;
#[cfg(test)]
mod tests;
mod value;

pub use digest::digest;
pub use parser::{INCLUDES_MAX, Parsed, parse_file, parse_text};
pub(crate) use scalar::parse_size;
pub use value::{Array, DEPTH_MAX, Data, Entry, Map, Origin, TEXT_BYTES_MAX, VALUES_MAX, Value};
