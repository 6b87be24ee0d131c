//! Keys, and the ciphers that they are for. Pure; labels and numbers here never change.
//!
//! A store has one data key, made by chance, which stands sealed in a file (see `keyfile`). From it come:
//!
//! * a key for each segment, out of the segment's number and the chance of the opening that began it. Within an
//!   opening no number is used twice, and of an opening no chance; so no two segments share a key, not even if one
//!   takes the number of another that a crash made unmade. A record's subject, headers and payload are under that
//!   key's stream at the offset where they lie, and between two openings no offset of a segment is written twice
//!   with different bytes: what was found is only ever written again as it was found. So no byte of a stream covers
//!   two different bytes.
//! * a key for each footer, out of a code over all that the footer says (a synthetic nonce): two footers that differ
//!   have different keys, however often a segment gets one. The same code tells whether it is what was written.

use std::fmt;

use aes::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

/// Bytes of every key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of an opening's chance, as segments tell it.
pub(crate) const OPENING_BYTES: usize = 16;
/// Bytes of the code over a footer.
pub(crate) const CODE_BYTES: usize = 32;

type Aes256 = ctr::Ctr128BE<aes::Aes256>;

/// How contents are encrypted. Numbers are stored: never change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Cipher {
    /// ChaCha20; the data key under ChaCha20-Poly1305.
    #[default]
    ChaCha20 = 1,
    /// AES-256 in counter mode; the data key under AES-256-GCM.
    Aes256 = 2,
}

impl Cipher {
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::ChaCha20),
            2 => Some(Self::Aes256),
            _ => None,
        }
    }
}

/// Bytes that are nobody's to see: never printed, and overwritten when they are let go.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes them.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// How a store is to be encrypted.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// For what is written from now on; older segments keep theirs.
    pub cipher: Cipher,
    /// What the store's own key is sealed with.
    pub key: Secret,
    /// What it was sealed with before, if that changed: the store's key is sealed anew at once.
    pub previous: Option<Secret>,
    /// 32 bytes of chance, never the same for two openings of a store: the keys of what is written come from it, and
    /// so does the key of a new store.
    pub chance: Secret,
}

/// The store's own key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

/// What a segment says of how its records are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) cipher: Cipher,
    /// Chance of the opening in which it was begun.
    pub(crate) opening: [u8; OPENING_BYTES],
}

impl DataKey {
    pub(crate) fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// What covers the records of a segment.
    pub(crate) fn veil(&self, sealed: Sealed, segment: u32) -> Veil {
        let number = segment.to_le_bytes();
        let parts: [&[u8]; 4] = [
            b"recado segment",
            &[sealed.cipher as u8],
            &sealed.opening,
            &number,
        ];
        Veil::new(sealed.cipher, &code(&*self.0, &parts))
    }

    /// A code over what a footer says and where it stands.
    pub(crate) fn footer_code(&self, head: &[u8], inside: &[&[u8]], end: u32) -> [u8; CODE_BYTES] {
        let key = code(&*self.0, &[b"recado footer code"]);
        let end = end.to_le_bytes();
        *code(&*key, &[&[&end, head], inside].concat())
    }

    /// What covers the footer of which this is the code.
    pub(crate) fn footer_veil(&self, cipher: Cipher, footer: &[u8; CODE_BYTES]) -> Veil {
        let parts: [&[u8]; 3] = [b"recado footer", &[cipher as u8], footer];
        Veil::new(cipher, &code(&*self.0, &parts))
    }
}

/// HMAC-SHA256 of the parts, one behind the other.
pub(crate) fn code(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    for (to, from) in bytes.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    bytes
}

/// HKDF-SHA256: the key that a configured one stands for, with this salt. Nothing if there is no such key.
pub(crate) fn stretch(key: &Secret, salt: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, salt);
    let secret = salt.extract(key.bytes());
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    let derived = secret.expand(&[b"recado store key"], hkdf::HKDF_SHA256);
    derived.and_then(|derived| derived.fill(&mut *bytes)).ok()?;
    Some(bytes)
}

/// A stream of bytes that covers others. Of a key that is used for one thing only, so it begins at nonce 0.
pub(crate) enum Veil {
    ChaCha20(Box<chacha20::ChaCha20>),
    Aes256(Box<Aes256>),
}

impl fmt::Debug for Veil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Veil")
    }
}

impl Veil {
    fn new(cipher: Cipher, key: &[u8; KEY_BYTES]) -> Self {
        match cipher {
            Cipher::ChaCha20 => {
                let nonce = [0; 12];
                Self::ChaCha20(Box::new(chacha20::ChaCha20::new(key.into(), &nonce.into())))
            }
            Cipher::Aes256 => Self::Aes256(Box::new(Aes256::new(key.into(), &[0; 16].into()))),
        }
    }

    /// Covers bytes that lie at an offset, or uncovers them. Both streams are longer than any file of the log.
    pub(crate) fn apply(&mut self, bytes: &mut [u8], offset: u32) {
        match self {
            Self::ChaCha20(stream) => {
                stream.seek(offset);
                stream.apply_keystream(bytes);
            }
            Self::Aes256(stream) => {
                stream.seek(offset);
                stream.apply_keystream(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey::new(Zeroizing::new([byte; KEY_BYTES]))
    }

    const OPENING: Sealed = Sealed {
        cipher: Cipher::ChaCha20,
        opening: [5; OPENING_BYTES],
    };

    fn stream(mut veil: Veil, offset: u32) -> [u8; 16] {
        let mut bytes = [0; 16];
        veil.apply(&mut bytes, offset);
        bytes
    }

    #[test]
    fn the_ciphers_are_those_of_the_standards() {
        // RFC 8439, appendix A.1, first vector: key, nonce and counter 0.
        let chacha = Veil::new(Cipher::ChaCha20, &[0; KEY_BYTES]);
        let expected = 0x76b8_e0ad_a0f1_3d90_405d_6ae5_5386_bd28_u128;
        assert_eq!(stream(chacha, 0), expected.to_be_bytes());
        // The block 0 under the key 0, as in NIST's known answers.
        let aes = Veil::new(Cipher::Aes256, &[0; KEY_BYTES]);
        let expected = 0xdc95_c078_a240_8989_ad48_a214_9284_2087_u128;
        assert_eq!(stream(aes, 0), expected.to_be_bytes());
    }

    #[test]
    fn a_stream_is_the_same_from_wherever_it_is_entered() {
        for cipher in [Cipher::ChaCha20, Cipher::Aes256] {
            let sealed = Sealed { cipher, ..OPENING };
            let mut veil = key(1).veil(sealed, 1);
            let mut whole = vec![0; 5000];
            veil.apply(&mut whole, 0);
            for offset in [4999, 0, 1, 63, 64, 65, 1024, 1337, 4000] {
                let mut piece = vec![0; (5000 - offset).min(200)];
                veil.apply(&mut piece, offset as u32);
                assert_eq!(piece, whole[offset..offset + piece.len()], "{offset}");
            }
            let last = (crate::format::SEGMENT_BYTES_MAX - 16) as usize;
            assert_ne!(stream(key(1).veil(sealed, 1), last as u32), [0; 16]);
        }
    }

    #[test]
    fn segments_openings_ciphers_and_footers_have_streams_of_their_own() {
        let key = key(1);
        let other = Sealed {
            opening: [6; OPENING_BYTES],
            ..OPENING
        };
        let aes = Sealed {
            cipher: Cipher::Aes256,
            ..OPENING
        };
        let code = key.footer_code(b"head", &[b"inside"], 7);
        let streams = [
            key.veil(OPENING, 1),
            key.veil(OPENING, 2),
            key.veil(other, 1),
            key.veil(aes, 1),
            key.footer_veil(Cipher::ChaCha20, &code),
            key.footer_veil(Cipher::ChaCha20, &key.footer_code(b"head", &[b"inside"], 8)),
            key.footer_veil(Cipher::ChaCha20, &key.footer_code(b"head", &[b"insidf"], 7)),
            self::key(2).veil(OPENING, 1),
        ];
        let mut streams = streams.map(|veil| stream(veil, 0));
        streams.sort_unstable();
        assert!(streams.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn what_keys_come_from_never_changes() {
        let key = key(1);
        let segment = stream(key.veil(OPENING, 1), 0);
        let code = key.footer_code(b"head", &[b"inside"], 7);
        let footer = stream(key.footer_veil(Cipher::Aes256, &code), 0);
        let found = [&segment[..], &code, &footer].map(crc32c::crc32c);
        assert_eq!(found, [495_727_682, 2_303_526_009, 793_624_816]);
    }
}
