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

/// Undoes one coding.
pub(super) enum Decoding {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Br(Box<brotli::DecompressorWriter<Vec<u8>>>),
}

impl fmt::Debug for Decoding {
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
            "gzip" | "x-gzip" => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            "br" => Self::Br(Box::new(brotli::DecompressorWriter::new(Vec::new(), BUFFER))),
            _ => return None,
        };
        headers.remove(CONTENT_ENCODING);
        // The length is that of what came; that all of it has come is still known, as from chunks.
        if headers.remove(CONTENT_LENGTH).is_some() {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        Some(decoding)
    }

    /// What one part more brings.
    ///
    /// # Errors
    /// It is not in that coding.
    pub(super) fn feed(&mut self, part: &[u8]) -> io::Result<Bytes> {
        let out = match self {
            Self::Gzip(decoder) => {
                decoder.write_all(part)?;
                decoder.flush()?;
                decoder.get_mut()
            }
            Self::Br(decoder) => {
                decoder.write_all(part)?;
                decoder.flush()?;
                decoder.get_mut()
            }
        };
        Ok(mem::take(out).into())
    }

    /// What the end brings.
    ///
    /// # Errors
    /// It is not the end.
    pub(super) fn finish(&mut self) -> io::Result<Bytes> {
        let out = match self {
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                decoder.get_mut()
            }
            Self::Br(decoder) => {
                decoder.close()?;
                decoder.get_mut()
            }
        };
        Ok(mem::take(out).into())
    }
}
