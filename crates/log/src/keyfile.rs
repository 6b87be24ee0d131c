//! The file `key`: the store's own key, sealed with the configured one.
//!
//! Must never write anything when the key that was given is wrong, nor make a new key for a store that has one.
//!
//! Layout: two copies of one block, so that damage in one costs nothing:
//! `magic(8) version(4) cipher(1) zero(3) salt(32) nonce(12) sealed(48) zeros crc(4)`, 512 bytes. The salt is new
//! whenever the key is sealed, and with it the key that seals. Numbers never change, a test pins them.

use std::io;

use ring::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::committer::RESERVE_NAME;
use crate::crypt::{Cipher, DataKey, Encryption, KEY_BYTES, OPENING_BYTES, Sealed, Secret};
use crate::crypt::{code, stretch};
use crate::disk::{Disk, DiskFile, is_full, read_up_to};
use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_number};
use crate::replay::OpenError;

/// Name of the file.
pub(crate) const KEY_NAME: &str = "key";
const NEW_NAME: &str = "key.new";
const MAGIC: [u8; 8] = *b"RECADOKY";
/// Version of this file. Never change.
const VERSION: u32 = 1;
const BLOCK_BYTES: usize = 512;
const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// The key and its tag.
const SEALED_BYTES: usize = KEY_BYTES + 16;
const SALT_AT: usize = 16;
const NONCE_AT: usize = SALT_AT + SALT_BYTES;
const SEALED_AT: usize = NONCE_AT + NONCE_BYTES;
const SEALED_END: usize = SEALED_AT + SEALED_BYTES;
/// Chance that an opening needs.
const CHANCE_BYTES_MIN: usize = 32;

/// A store's own key as it stands in the file.
#[derive(Clone, PartialEq, Eq)]
struct Block {
    cipher: Cipher,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    sealed: [u8; SEALED_BYTES],
}

/// Finds out what a store is encrypted with: reads its key, makes one for a store that has none, and seals it anew if
/// it was sealed with the previous key or for another cipher. Nothing if the store is not to be encrypted, and is not.
pub(crate) fn open<D: Disk>(
    disk: &D,
    encryption: Option<&Encryption>,
) -> Result<Option<(DataKey, Sealed)>, OpenError> {
    let found = read(disk)?;
    let Some(encryption) = encryption else {
        // Whether segments are encrypted all the same is seen when they are read.
        return match found {
            Some(_) => Err(OpenError::KeyNeeded { file: KEY_NAME }),
            None => Ok(None),
        };
    };
    let chance = encryption.chance.bytes();
    if chance.len() < CHANCE_BYTES_MIN || encryption.key.bytes().is_empty() {
        return Err(OpenError::Setting {
            name: "encryption",
            why: "needs a key, and 32 bytes of chance".to_owned(),
        });
    }
    let (key, sealing) = match found {
        Some(block) => unseal(&block, encryption)?,
        None => {
            refuse_without_file(disk)?;
            let key = code(chance, &[b"recado data key"]);
            (DataKey::new(key), Sealing::Needed)
        }
    };
    if sealing != Sealing::Done {
        let block = seal(&key, encryption).ok_or_else(|| OpenError::Setting {
            name: "encryption",
            why: "the store's key could not be sealed".to_owned(),
        })?;
        let mut written = write(disk, &block);
        if written.as_ref().is_err_and(is_full) {
            // The reserve is there for what is small and must be written.
            let _ = disk.remove(RESERVE_NAME);
            written = write(disk, &block);
        }
        match written {
            // It can be done the next time: who has the key opens it as it is.
            Err(error) if sealing == Sealing::Wanted && is_full(&error) => {}
            written => written.map_err(OpenError::io(format!("write {KEY_NAME}")))?,
        }
    }
    // After a sync that failed, the name may not be on the disk although it can be seen.
    let synced = disk.sync_dir();
    synced.map_err(OpenError::io("sync the store's directory"))?;
    let mut opening = [0; OPENING_BYTES];
    let drawn = code(chance, &[b"recado opening"]);
    for (to, from) in opening.iter_mut().zip(drawn.iter()) {
        *to = *from;
    }
    let cipher = encryption.cipher;
    Ok(Some((key, Sealed { cipher, opening })))
}

/// The key of a store that is only read. Nothing if none was given, or the store has none.
pub(crate) fn open_to_read<D: Disk>(
    disk: &D,
    key: Option<&Secret>,
) -> Result<Option<DataKey>, OpenError> {
    let Some(key) = key else {
        return Ok(None);
    };
    match read(disk)? {
        Some(block) => match unseal_with(&block, key) {
            Some(key) => Ok(Some(key)),
            None => Err(OpenError::WrongKey { file: KEY_NAME }),
        },
        None => refuse_without_file(disk).map(|()| None),
    }
}

/// Says so if a store has a key, or needs one.
pub(crate) fn refuse_without_key<D: Disk>(disk: &D) -> Result<(), OpenError> {
    match read(disk)? {
        Some(_) => Err(OpenError::KeyNeeded { file: KEY_NAME }),
        None => refuse_without_file(disk),
    }
}

/// Says so if segments are encrypted, but the key is not there.
pub(crate) fn refuse_without_file<D: Disk>(disk: &D) -> Result<(), OpenError> {
    let names = disk.list().map_err(OpenError::io("list the store"))?;
    for name in names.iter().filter(|name| segment_number(name).is_some()) {
        let file = disk.open(name);
        let file = file.map_err(OpenError::io(format!("open {name}")))?;
        let mut bytes = Vec::new();
        let _ = read_up_to(&file, &mut bytes, 0, SEGMENT_HEADER_BYTES as usize);
        if SegmentHeader::decode(&bytes).is_ok_and(|(header, _)| header.sealed.is_some()) {
            return Err(missing());
        }
    }
    Ok(())
}

/// Segments are encrypted, and the store's key is gone.
pub(crate) fn missing() -> OpenError {
    OpenError::KeyFile {
        file: KEY_NAME,
        missing: true,
    }
}

fn read<D: Disk>(disk: &D) -> Result<Option<Block>, OpenError> {
    let file = match disk.open(KEY_NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io(format!("open {KEY_NAME}"))(error)),
    };
    let mut bytes = Vec::new();
    read_up_to(&file, &mut bytes, 0, 2 * BLOCK_BYTES)
        .map_err(OpenError::io(format!("read {KEY_NAME}")))?;
    let copies = [0, BLOCK_BYTES].map(|at| decode(bytes.get(at..)?.first_chunk()?));
    match copies {
        [Some(Ok(block)), _] | [_, Some(Ok(block))] => Ok(Some(block)),
        [Some(Err(found)), _] | [_, Some(Err(found))] => Err(OpenError::Version {
            file: KEY_NAME.to_owned(),
            found,
        }),
        _ => Err(OpenError::KeyFile {
            file: KEY_NAME,
            missing: false,
        }),
    }
}

/// A copy, or the version that it is of. Nothing if it is damaged.
fn decode(b: &[u8; BLOCK_BYTES]) -> Option<Result<Block, u32>> {
    let crc = crc32c::crc32c(&b[..BLOCK_BYTES - 4]).to_le_bytes();
    if b[..8] != MAGIC || b[BLOCK_BYTES - 4..] != crc {
        return None;
    }
    let version = u32::from_le_bytes([b[8], b[9], b[10], b[11]]);
    let Some(cipher) = Cipher::from_number(b[12]).filter(|_| version == VERSION) else {
        return Some(Err(version));
    };
    Some(Ok(Block {
        cipher,
        salt: *b[SALT_AT..].first_chunk()?,
        nonce: *b[NONCE_AT..].first_chunk()?,
        sealed: *b[SEALED_AT..].first_chunk()?,
    }))
}

fn encode(block: &Block) -> Vec<u8> {
    let mut b = [0; BLOCK_BYTES];
    b[..8].copy_from_slice(&MAGIC);
    b[8..12].copy_from_slice(&VERSION.to_le_bytes());
    b[12] = block.cipher as u8;
    b[SALT_AT..NONCE_AT].copy_from_slice(&block.salt);
    b[NONCE_AT..SEALED_AT].copy_from_slice(&block.nonce);
    b[SEALED_AT..SEALED_END].copy_from_slice(&block.sealed);
    let crc = crc32c::crc32c(&b[..BLOCK_BYTES - 4]);
    b[BLOCK_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
    [b, b].concat()
}

/// Whether the key is to be sealed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sealing {
    /// It is sealed as it should be.
    Done,
    /// With the right key, for another cipher.
    Wanted,
    /// Not at all, or with the previous key.
    Needed,
}

/// The key, and whether it is sealed as it should be from now on.
fn unseal(block: &Block, encryption: &Encryption) -> Result<(DataKey, Sealing), OpenError> {
    if let Some(key) = unseal_with(block, &encryption.key) {
        let sealing = match block.cipher == encryption.cipher {
            true => Sealing::Done,
            false => Sealing::Wanted,
        };
        return Ok((key, sealing));
    }
    let previous = encryption.previous.as_ref();
    match previous.and_then(|previous| unseal_with(block, previous)) {
        Some(key) => Ok((key, Sealing::Needed)),
        None => Err(OpenError::WrongKey { file: KEY_NAME }),
    }
}

fn unseal_with(block: &Block, key: &Secret) -> Option<DataKey> {
    let sealing = sealing_key(block.cipher, key, &block.salt)?;
    let mut bytes = Zeroizing::new(block.sealed);
    let nonce = Nonce::assume_unique_for_key(block.nonce);
    let opened = sealing.open_in_place(nonce, told(block.cipher), &mut *bytes);
    let opened = Zeroizing::new(*opened.ok()?.first_chunk()?);
    Some(DataKey::new(opened))
}

fn seal(key: &DataKey, encryption: &Encryption) -> Option<Block> {
    let chance = encryption.chance.bytes();
    let cipher = encryption.cipher;
    let salt = *code(chance, &[b"recado key salt"]);
    // Of one key, which the salt makes, there is one nonce.
    let nonce = *code(chance, &[b"recado key nonce"]).first_chunk()?;
    let sealing = sealing_key(cipher, &encryption.key, &salt)?;
    let mut sealed = [0; SEALED_BYTES];
    let (inside, tag_at) = sealed.split_first_chunk_mut::<KEY_BYTES>()?;
    *inside = *key.bytes();
    let unique = Nonce::assume_unique_for_key(nonce);
    let tag = sealing.seal_in_place_separate_tag(unique, told(cipher), inside);
    tag_at.copy_from_slice(tag.ok()?.as_ref());
    Some(Block {
        cipher,
        salt,
        nonce,
        sealed,
    })
}

fn sealing_key(cipher: Cipher, key: &Secret, salt: &[u8]) -> Option<LessSafeKey> {
    let algorithm = match cipher {
        Cipher::ChaCha20 => &CHACHA20_POLY1305,
        Cipher::Aes256 => &AES_256_GCM,
    };
    let bytes = stretch(key, salt)?;
    let key = UnboundKey::new(algorithm, &*bytes).ok()?;
    Some(LessSafeKey::new(key))
}

/// What is sealed along: the key is good for nothing else.
fn told(cipher: Cipher) -> Aad<[u8; 13]> {
    let mut told = [0; 13];
    told[..8].copy_from_slice(&MAGIC);
    told[8..12].copy_from_slice(&VERSION.to_le_bytes());
    told[12] = cipher as u8;
    Aad::from(told)
}

/// Writes the file so that there is always a whole one under its name.
fn write<D: Disk>(disk: &D, block: &Block) -> io::Result<()> {
    match disk.remove(NEW_NAME) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let bytes = encode(block);
    let file = disk.create(NEW_NAME, bytes.len() as u64)?;
    let written = file.write_at(&bytes, 0).and_then(|()| file.sync_data());
    if let Err(error) = written {
        let _ = disk.remove(NEW_NAME);
        return Err(error);
    }
    disk.rename(NEW_NAME, KEY_NAME)?;
    disk.sync_dir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    fn encryption(cipher: Cipher, key: &str, previous: Option<&str>, chance: u8) -> Encryption {
        let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
        Encryption {
            cipher,
            key: secret(key),
            previous: previous.map(secret),
            chance: Secret::new(vec![chance; CHANCE_BYTES_MIN]),
        }
    }

    #[test]
    fn the_bytes_of_a_key_file_never_change() {
        for (cipher, number, pinned) in [
            (Cipher::ChaCha20, 1, PINNED_CHACHA),
            (Cipher::Aes256, 2, PINNED_AES),
        ] {
            let disk = SimDisk::new(0);
            let settings = encryption(cipher, "k", None, 7);
            let (key, _) = open(&disk, Some(&settings)).expect("made").expect("a key");
            let bytes = disk.bytes(KEY_NAME).expect("a file");
            assert_eq!(bytes.len(), 2 * BLOCK_BYTES);
            assert_eq!(bytes[..BLOCK_BYTES], bytes[BLOCK_BYTES..]);
            let start = [b"RECADOKY\x01\0\0\0".as_slice(), &[number, 0, 0, 0]].concat();
            assert_eq!(bytes[..SALT_AT], start);
            assert!(
                bytes[SEALED_END..BLOCK_BYTES - 4]
                    .iter()
                    .all(|byte| *byte == 0)
            );
            assert_eq!(crc32c::crc32c(&bytes[..SEALED_END]), pinned, "{cipher:?}");
            // And what it holds is what was made.
            let later = encryption(cipher, "k", None, 8);
            let (again, _) = open(&disk, Some(&later)).expect("opens").expect("a key");
            assert!(key == again);
            assert_eq!(disk.bytes(KEY_NAME), Some(bytes));
        }
    }
    const PINNED_CHACHA: u32 = 1_366_159_814;
    const PINNED_AES: u32 = 4_281_685_241;

    #[test]
    fn on_a_full_disk_another_cipher_can_wait_and_another_key_can_not() {
        let disk = SimDisk::new(0);
        open(&disk, Some(&encryption(Cipher::ChaCha20, "k", None, 1))).expect("made");
        disk.set_limit_bytes(disk.used_bytes());
        let before = disk.bytes(KEY_NAME);
        let cipher = encryption(Cipher::Aes256, "k", None, 2);
        let (_, sealed) = open(&disk, Some(&cipher)).expect("opens").expect("a key");
        assert_eq!(sealed.cipher, Cipher::Aes256);
        let key = encryption(Cipher::ChaCha20, "new", Some("k"), 3);
        let refused = open(&disk, Some(&key)).map(|_| ());
        assert!(matches!(refused, Err(OpenError::Io { .. })), "{refused:?}");
        assert_eq!(disk.bytes(KEY_NAME), before);
        disk.set_limit_bytes(u64::MAX);
        open(&disk, Some(&key)).expect("there is room");
        assert_ne!(disk.bytes(KEY_NAME), before);
    }

    #[test]
    fn a_power_failure_while_a_key_is_sealed_leaves_the_old_one_or_the_new_one() {
        for changes in 0..8 {
            for seed in 0..20 {
                let disk = SimDisk::new(seed);
                let old = encryption(Cipher::ChaCha20, "old", None, 1);
                let (key, _) = open(&disk, Some(&old)).expect("made").expect("a key");
                disk.fail_power_after(changes);
                let new = encryption(Cipher::ChaCha20, "new", Some("old"), 2);
                let _ = open(&disk, Some(&new));
                disk.crash();
                let new = encryption(Cipher::ChaCha20, "new", Some("old"), 3);
                let (again, _) = open(&disk, Some(&new)).expect("opens").expect("a key");
                assert!(key == again, "after {changes} changes, seed {seed}");
            }
        }
    }
}
