//! Unpredictable names: request ids, schema ids, tokens.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn number() -> u64 {
    // Each RandomState is keyed differently, which is all the randomness a test server needs.
    RandomState::new().build_hasher().finish()
}

fn pick(alphabet: &[u8], length: usize) -> String {
    (0..length)
        .map(|_| {
            let at = number() % alphabet.len() as u64;
            char::from(alphabet[usize::try_from(at).unwrap_or(0)])
        })
        .collect()
}

/// Eight characters of `[a-z0-9]`, as a branch's schema id.
pub(crate) fn schema_id() -> String {
    pick(LOWER, 8)
}

/// Letters of both cases and digits.
pub(crate) fn alphanumeric(length: usize) -> String {
    pick(MIXED, length)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(length: usize) -> String {
    pick(b"0123456789abcdef", length)
}

/// A version 4 UUID.
pub(crate) fn uuid() -> String {
    let (a, b) = (number(), number());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 48 & 0x3fff | 0x8000,
        b & 0xffff_ffff_ffff
    )
}
