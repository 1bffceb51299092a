//! Content codings (RFC 9110, section 8.4.1): which a client takes, and copies of a body made by them.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Bodies below this many bytes fit a packet or two as they are.
pub const SMALLEST: usize = 1400;

/// Made once, sent many times: worth more work than what is made for one answer, and yet 13 MB in about a second.
const GZIP_LEVEL: u32 = 6;
const BR_QUALITY: i32 = 5;
const ZSTD_LEVEL: i32 = 6;

/// How far brotli looks back, as a power of two; what all its readers take (RFC 7932, section 9.1).
const BR_WINDOW: i32 = 22;

/// brotli's buffer, in bytes.
const BR_BUFFER: usize = 64 * 1024;

/// A coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// zstd (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Br,
    /// gzip (RFC 1952): what Python's requests takes.
    Gzip,
}

/// The codings that a client takes, the one it would rather have first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted([Option<Coding>; 3]);

impl Coding {
    /// All, those first that are read with the least work.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Br, Self::Gzip];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Br => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The body in this coding, if that saves a tenth of it or more. Takes a while: not for a thread that others wait for.
    pub fn encode(self, body: &[u8]) -> Option<Bytes> {
        // Writing to a Vec does not fail, and what cannot be made smaller stays as it is.
        let coded = self.write(body, Vec::with_capacity(body.len() / 8)).ok()?;
        (coded.len() <= body.len() - body.len() / 10).then(|| coded.into_boxed_slice().into())
    }

    fn write(self, body: &[u8], mut out: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.set_pledged_src_size(Some(body.len() as u64))?;
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Br => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BR_QUALITY,
                    lgwin: BR_WINDOW,
                    size_hint: body.len(),
                    ..Default::default()
                };
                let mut encoder = brotli::CompressorWriter::with_params(&mut out, BR_BUFFER, &parameters);
                encoder.write_all(body)?;
                encoder.flush()?;
                drop(encoder);
                Ok(out)
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::new(GZIP_LEVEL));
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }
}

impl Accepted {
    /// What a request's `Accept-Encoding` takes (RFC 9110, section 12.5.3). Without one, nothing but the body as it is: a
    /// client that says nothing may not be able to read anything else.
    pub fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ACCEPT_ENCODING) {
            return Self::default();
        }
        let mut weights = Weights::default();
        for value in headers.get_all(ACCEPT_ENCODING) {
            for range in value.to_str().unwrap_or_default().split(',') {
                weights.read(range);
            }
        }
        weights.accepted()
    }

    /// In the order of preference.
    pub fn iter(&self) -> impl Iterator<Item = Coding> + use<> {
        self.0.into_iter().flatten()
    }
}

/// What a client says of each coding, in thousandths; `None` where it says nothing.
#[derive(Default)]
struct Weights {
    codings: [Option<u16>; 3],
    identity: Option<u16>,
    others: Option<u16>,
}

impl Weights {
    fn read(&mut self, range: &str) {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let (name, weight) = (name.trim(), Some(weight(parameters)));
        if name == "*" {
            self.others = weight;
        } else if name.eq_ignore_ascii_case("identity") {
            self.identity = weight;
        } else {
            // x-gzip is gzip (RFC 9110, section 8.4.1.3).
            let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
            for (coding, slot) in Coding::ALL.iter().zip(&mut self.codings) {
                if name.eq_ignore_ascii_case(coding.as_str()) {
                    *slot = weight;
                }
            }
        }
    }

    fn accepted(&self) -> Accepted {
        let mut weighed = [0, 1, 2].map(|n| (self.codings[n].or(self.others).unwrap_or(0), Coding::ALL[n]));
        // Stable: of equals the first.
        weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        // As it is a body costs nothing to read: a coding that is wanted less than that is not wanted.
        let least = self.identity.unwrap_or(0).max(1);
        Accepted(weighed.map(|(weight, coding)| (weight >= least).then_some(coding)))
    }
}

/// `q` in thousandths: 1 where it is not given, 0 where it cannot be read.
fn weight(parameters: &str) -> u16 {
    let mut weights = parameters.split(';').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().to_owned())
    });
    let Some(text) = weights.next() else { return 1000 };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    match (whole, digits) {
        ("1", true) if part.bytes().all(|b| b == b'0') => 1000,
        ("0", true) => format!("{part:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(lines: &[&str]) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().unwrap());
        }
        Accepted::of(&headers).iter().map(Coding::as_str).collect()
    }

    #[test]
    fn clients_get_what_they_would_rather_have() {
        for (lines, expected) in [
            (&[][..], &[][..]),
            (&[""], &[]),
            (&["identity"], &[]),
            (&["gzip, deflate"], &["gzip"]),
            (&["gzip, deflate, br, zstd"], &["zstd", "br", "gzip"]),
            (&["gzip", "br"], &["br", "gzip"]),
            (&["GZIP;Q=1.0"], &["gzip"]),
            (&["x-gzip"], &["gzip"]),
            (&["*"], &["zstd", "br", "gzip"]),
            (&["*;q=0.5, gzip"], &["gzip", "zstd", "br"]),
            (&["*, zstd;q=0"], &["br", "gzip"]),
            (&["gzip;q=0.2, br;q=0.9"], &["br", "gzip"]),
            (&["gzip;q=0"], &[]),
            (&["gzip;q=0.000"], &[]),
            (&["gzip;q=0.001"], &["gzip"]),
            (&["gzip;q=nonsense"], &[]),
            (&["gzip;q=1.5"], &[]),
            (&["gzip;q=0.5, identity"], &[]),
            (&["gzip;q=0.5, identity;q=0.4"], &["gzip"]),
            (&["gzip, identity;q=0"], &["gzip"]),
            (&["deflate, compress"], &[]),
        ] {
            assert_eq!(accepted(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_does_not_shrink_stays() {
        let noise: Vec<u8> = (0..4000u32).flat_map(|n| blake3::hash(&n.to_le_bytes()).as_bytes().to_owned()).collect();
        for coding in Coding::ALL {
            assert_eq!(coding.encode(&noise), None, "{coding:?}");
            assert_eq!(coding.encode(b""), None, "{coding:?}");
        }
    }

    proptest! {
        #[test]
        fn copies_say_the_same(body in proptest::collection::vec(any::<u8>(), 0..2000), times in 2usize..40) {
            let body = body.repeat(times);
            for coding in Coding::ALL {
                let Some(coded) = coding.encode(&body) else { continue };
                let mut plain = Vec::new();
                match coding {
                    Coding::Zstd => plain = zstd::decode_all(&*coded).unwrap(),
                    Coding::Br => { io::Read::read_to_end(&mut brotli::Decompressor::new(&*coded, 4096), &mut plain).unwrap(); }
                    Coding::Gzip => { io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*coded), &mut plain).unwrap(); }
                }
                prop_assert!(plain == body, "{coding:?}");
            }
        }
    }
}
