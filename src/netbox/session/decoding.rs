//! Answers that come in a content coding (RFC 9110, section 8.4) though none was asked for: a server in front of NetBox may be set
//! to compress whatever it is asked. What is read, kept and handed on is the body without it.

use std::fmt;
use std::io::{self, Write};
use std::mem;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};

/// brotli's buffer, in bytes.
const BUFFER: usize = 16 * 1024;

/// What is decoded at once, in bytes: little may stand for very much, and whoever takes it may have had enough.
const PIECE: usize = 4 * 1024;

/// Undoes the coding of one body.
#[derive(Debug)]
pub(super) struct Decoding {
    coding: Coding,
    /// What has come and is not decoded yet.
    coded: Bytes,
    /// Whether anything has come: what has no body may yet say that it is in a coding.
    begun: bool,
}

/// Undoes one coding.
enum Coding {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Br(Box<brotli::DecompressorWriter<Vec<u8>>>),
}

impl fmt::Debug for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "gzip",
            Self::Br(_) => "br",
        })
    }
}

impl Decoding {
    /// What an answer with these headers needs; they are made those of the answer without its coding. Codings that are not
    /// known stay.
    pub(super) fn of(headers: &mut HeaderMap) -> Option<Self> {
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        let (coding, None) = (codings.next()?, codings.next()) else { return None };
        let coding = coding.to_str().ok()?.to_ascii_lowercase();
        let decoding = match coding.as_str() {
            "gzip" | "x-gzip" => Coding::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            "br" => Coding::Br(Box::new(brotli::DecompressorWriter::new(Vec::new(), BUFFER))),
            _ => return None,
        };
        headers.remove(CONTENT_ENCODING);
        // The length is that of what came; that all of it has come is still known, as from chunks.
        if headers.remove(CONTENT_LENGTH).is_some() {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        Some(Self { coding: decoding, coded: Bytes::new(), begun: false })
    }

    /// Takes one part more in.
    pub(super) fn feed(&mut self, part: Bytes) {
        self.begun |= !part.is_empty();
        self.coded = part;
    }

    /// The next piece of what has been taken in; `None` when all of it has been given.
    ///
    /// # Errors
    /// It is not in that coding.
    pub(super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.coded.is_empty() {
            return Ok(None);
        }
        let piece = self.coded.split_to(PIECE.min(self.coded.len()));
        self.coding.decode(&piece).map(Some)
    }

    /// What the end brings.
    ///
    /// # Errors
    /// It is not the end.
    pub(super) fn finish(&mut self) -> io::Result<Bytes> {
        if self.begun { self.coding.finish() } else { Ok(Bytes::new()) }
    }
}

impl Coding {
    fn decode(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        let decoder: &mut dyn Write = match self {
            Self::Gzip(decoder) => decoder,
            Self::Br(decoder) => decoder,
        };
        decoder.write_all(piece)?;
        decoder.flush()?;
        Ok(self.decoded())
    }

    fn finish(&mut self) -> io::Result<Bytes> {
        match self {
            Self::Gzip(decoder) => decoder.try_finish()?,
            Self::Br(decoder) => decoder.close()?,
        }
        Ok(self.decoded())
    }

    fn decoded(&mut self) -> Bytes {
        let out = match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Br(decoder) => decoder.get_mut(),
        };
        mem::take(out).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(coding: &'static str) -> Decoding {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("1"));
        let decoding = Decoding::of(&mut headers).unwrap();
        assert!(!headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(CONTENT_LENGTH));
        decoding
    }

    /// A 204, or a 304 of a server that names the coding of what it does not send.
    #[test]
    fn no_body_is_in_any_coding() {
        for coding in ["gzip", "x-gzip", "br"] {
            assert_eq!(of(coding).finish().unwrap(), Bytes::new(), "{coding}");
        }
    }

    #[test]
    fn little_that_stands_for_much_comes_in_pieces() {
        let much = vec![b' '; 16 << 20];
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&much).unwrap();
        let coded = Bytes::from(encoder.finish().unwrap());
        let (mut decoding, mut read, mut largest) = (of("gzip"), 0, 0);
        decoding.feed(coded);
        while let Some(piece) = decoding.next().unwrap() {
            (read, largest) = (read + piece.len(), largest.max(piece.len()));
        }
        read += decoding.finish().unwrap().len();
        assert!(read == much.len() && largest < 8 << 20, "{read} {largest}");
    }
}
