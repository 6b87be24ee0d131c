//! Answers over `$SYS` and traces that whoever asks wants compressed (A120, A123): the header `Accept-Encoding` names what it understands, and
//! `Content-Encoding` says what it got.

use std::borrow::Cow;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use recado_wire::Headers;
use snap::write::FrameEncoder;

/// The header that asks.
pub(crate) const ACCEPT: &str = "Accept-Encoding";

/// How the body of an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is, and nothing is said of it: nobody asked.
    Plain,
    /// As it is: what was asked for is not known.
    Identity,
    Gzip,
    Snappy,
}

impl Encoding {
    /// What the headers of a request ask for.
    pub(crate) fn asked(headers: &Headers<'_>) -> Self {
        let accepted = { headers.iter() }.find(|(name, _)| *name == ACCEPT);
        Self::of(accepted.map(|(_, words)| words))
    }

    /// What these words of the header ask for. Snappy goes first, as in nats-server; `s2` is its name for the same.
    pub(crate) fn of(accepted: Option<&str>) -> Self {
        let Some(accepted) = accepted else {
            return Self::Plain;
        };
        let accepted = accepted.to_lowercase();
        match accepted {
            words if words.contains("snappy") || words.contains("s2") => Self::Snappy,
            words if words.contains("gzip") => Self::Gzip,
            _ => Self::Identity,
        }
    }

    /// The body, and the headers that say how it is written. What can't be compressed goes as it is.
    pub(crate) fn apply(self, body: &[u8]) -> (Option<Vec<u8>>, Cow<'_, [u8]>) {
        let (word, body) = match (self, self.compressed(body)) {
            (Self::Plain, _) => return (None, body.into()),
            (Self::Gzip, Some(compressed)) => ("gzip", compressed.into()),
            (Self::Snappy, Some(compressed)) => ("snappy", compressed.into()),
            _ => ("identity", body.into()),
        };
        let headers = format!("NATS/1.0\r\nContent-Encoding: {word}\r\n\r\n");
        (Some(headers.into_bytes()), body)
    }

    fn compressed(self, body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Plain | Self::Identity => None,
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).ok()?;
                encoder.finish().ok()
            }
            Self::Snappy => {
                let mut encoder = FrameEncoder::new(Vec::new());
                encoder.write_all(body).ok()?;
                encoder.into_inner().ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn asked(words: &str) -> Encoding {
        let block = format!("NATS/1.0\r\nAccept-Encoding: {words}\r\n\r\n");
        Encoding::asked(&Headers::new(block.as_bytes()))
    }

    #[test]
    fn what_is_asked_for_is_what_nats_server_would_give() {
        for (words, encoding) in [
            ("gzip", Encoding::Gzip),
            ("GZIP", Encoding::Gzip),
            ("snappy", Encoding::Snappy),
            ("s2", Encoding::Snappy),
            ("gzip, snappy", Encoding::Snappy),
            ("deflate", Encoding::Identity),
        ] {
            assert_eq!(asked(words), encoding, "{words}");
        }
        assert_eq!(Encoding::asked(&Headers::new(b"")), Encoding::Plain);
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let body = b"{\"a\":1}".repeat(20_000);
        let (headers, compressed) = Encoding::Gzip.apply(&body);
        assert!(
            headers
                .unwrap()
                .ends_with(b"Content-Encoding: gzip\r\n\r\n")
        );
        assert!(compressed.len() < body.len() / 10);
        let mut read = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&compressed[..]);
        decoder.read_to_end(&mut read).unwrap();
        assert_eq!(read, body);
        let (headers, compressed) = Encoding::Snappy.apply(&body);
        assert!(
            headers
                .unwrap()
                .ends_with(b"Content-Encoding: snappy\r\n\r\n")
        );
        assert!(compressed.len() < body.len() / 10);
        let mut read = Vec::new();
        let mut decoder = snap::read::FrameDecoder::new(&compressed[..]);
        decoder.read_to_end(&mut read).unwrap();
        assert_eq!(read, body);
        let (headers, same) = Encoding::Identity.apply(&body);
        assert!(headers.is_some() && *same == body);
        let (headers, same) = Encoding::Plain.apply(&body);
        assert!(headers.is_none() && *same == body);
    }
}
