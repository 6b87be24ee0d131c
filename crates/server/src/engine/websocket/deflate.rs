//! `permessage-deflate` (RFC 7692) without context takeover: each message stands alone, so that
//! compressor and decompressor belong to the thread and a connection holds neither.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What ends a block that is flushed; it is left out on the wire.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Room that is made at a time for what is decompressed.
const STEP_BYTES: usize = 64 * 1024;

/// Why a message can't be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is no deflated data.
    Malformed,
    /// It is larger than it may be.
    TooBig,
}

thread_local! {
    static COMPRESSOR: RefCell<(Compress, Vec<u8>)> =
        RefCell::new((Compress::new(Compression::fast(), false), Vec::new()));
    static DECOMPRESSOR: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Compresses one message and hands it on.
pub(super) fn compress(payload: &[u8], take: impl FnOnce(&[u8])) {
    COMPRESSOR.with_borrow_mut(|(compressor, out)| {
        compressor.reset();
        out.clear();
        loop {
            // What can't be made smaller grows by some bytes a block.
            out.reserve(payload.len() / 2 + 1024);
            let consumed = compressor.total_in() as usize;
            let rest = payload.get(consumed..).unwrap_or_default();
            let before = out.len();
            let status = compressor.compress_vec(rest, out, FlushCompress::Sync);
            let all_in = compressor.total_in() as usize >= payload.len();
            // Room left over means that the flush is complete.
            let flushed = all_in && out.len() < out.capacity();
            if flushed || status.is_err() || (out.len() == before && all_in) {
                break;
            }
        }
        let end = out
            .len()
            .saturating_sub(if out.ends_with(&TAIL) { 4 } else { 0 });
        take(&out[..end]);
    });
}

/// Decompresses one message, at most `most` bytes, and appends it to `out`.
pub(super) fn decompress(
    message: &mut Vec<u8>,
    out: &mut Vec<u8>,
    most: usize,
) -> Result<(), Damage> {
    message.extend_from_slice(&TAIL);
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor.reset(false);
        let start = out.len();
        loop {
            let consumed = decompressor.total_in() as usize;
            let rest = message.get(consumed..).unwrap_or_default();
            // One byte more than allowed tells that there is more.
            let allowed = (most + 1).saturating_sub(out.len() - start);
            out.reserve(allowed.clamp(1, STEP_BYTES));
            let (before, room) = (out.len(), out.capacity());
            let status = decompressor.decompress_vec(rest, out, FlushDecompress::Sync);
            if out.len() - start > most {
                return Err(Damage::TooBig);
            }
            match status {
                Err(_) => return Err(Damage::Malformed),
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) => {}
            }
            let all_in = decompressor.total_in() as usize >= message.len();
            if all_in && out.len() < room {
                return Ok(());
            }
            let stuck = out.len() == before && decompressor.total_in() as usize == consumed;
            if stuck {
                return if all_in {
                    Ok(())
                } else {
                    Err(Damage::Malformed)
                };
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        compress(payload, |bytes| out.extend_from_slice(bytes));
        out
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_out_again(payload in proptest::collection::vec(0_u8..4, 0..200_000)) {
            let mut message = compressed(&payload);
            let mut out = b"before".to_vec();
            decompress(&mut message, &mut out, payload.len()).unwrap();
            prop_assert_eq!(&out[6..], &payload[..]);
        }

        #[test]
        fn nonsense_is_refused_or_bounded(mut message in proptest::collection::vec(any::<u8>(), 0..1000)) {
            let mut out = Vec::new();
            let _ = decompress(&mut message, &mut out, 10_000);
            prop_assert!(out.len() <= 10_001 + STEP_BYTES);
        }
    }

    #[test]
    fn what_does_not_compress_comes_out_again() {
        use rand::RngExt;
        let payload: Vec<u8> = (0..300_000).map(|_| rand::rng().random()).collect();
        let mut message = compressed(&payload);
        let mut out = Vec::new();
        decompress(&mut message, &mut out, payload.len()).unwrap();
        assert!(out == payload);
    }

    #[test]
    fn a_bomb_is_found_out_before_it_fills_memory() {
        let mut bomb = compressed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        let mut out = Vec::new();
        assert_eq!(
            decompress(&mut bomb, &mut out, 1 << 20),
            Err(Damage::TooBig)
        );
        assert!(out.capacity() < 4 << 20, "{}", out.capacity());
    }
}
