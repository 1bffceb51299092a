//! Webhooks that were heard lately: one that comes again tells nothing.
//!
//! There is a time in what NetBox sends, so no two events have the same body, and with it the same signature. Whoever got
//! hold of a signed body could otherwise have everything forgotten that it tells of, as often as he likes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::Signature;

/// Webhooks that are remembered; an older one counts once more.
const MOST: usize = 10_000;

/// The signatures of webhooks that were believed.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    known: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

impl Heard {
    /// Takes note of a signature that is right; whether it is new.
    pub fn note(&self, signature: &Signature) -> bool {
        // As unlikely to be another's as the whole is: it is a keyed hash.
        let Some(name) = signature.0.first_chunk().copied() else { return true };
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !lately.known.insert(name) {
            return false;
        }
        lately.order.push_back(name);
        if lately.order.len() > MOST
            && let Some(oldest) = lately.order.pop_front()
        {
            lately.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::DIGEST;
    use super::*;

    fn signature(n: usize) -> Signature {
        let mut bytes = [0; DIGEST];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        Signature(bytes)
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let heard = Heard::default();
        assert!((0..=MOST).all(|n| heard.note(&signature(n))));
        assert!(!heard.note(&signature(1)) && !heard.note(&signature(MOST)));
        assert!(heard.note(&signature(0)), "it was too long ago");
    }
}
