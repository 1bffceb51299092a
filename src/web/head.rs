//! A request's head, before anything is made of it: not too long, and nothing in it that two readers might read in two
//! ways.
//!
//! What can no longer be seen here hyper has settled as RFC 9112 (section 6.3) has it: of a request with both lengths it
//! takes `Transfer-Encoding`, answers, and ends the connection.

use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderName, Version};

use crate::proxy::error::BadRequest;

/// What heads are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all of it, as HTTP/1.1 writes it.
    pub bytes: usize,
    /// Headers.
    pub headers: usize,
    /// Bytes of path and query.
    pub uri: usize,
}

/// Of these a second one is never meant well: which of them counts is a matter of who reads.
const ONCE: [HeaderName; 2] = [AUTHORIZATION, HOST];

/// `METHOD`, a space, the target, and this; then the headers, each with what stands around name and value; then the empty line.
const AROUND_TARGET: usize = " ".len() + " HTTP/1.1\r\n".len();
const AROUND_VALUE: usize = ": \r\n".len();
const EMPTY_LINE: usize = "\r\n".len();

/// Looks at a head.
///
/// # Errors
/// [`BadRequest`] says what is wrong with it.
pub(super) fn check(head: &Parts, limits: Limits) -> Result<(), BadRequest> {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.uri {
        return Err(BadRequest::UriTooLong { limit: limits.uri });
    }
    if head.headers.len() > limits.headers {
        return Err(BadRequest::TooManyHeaders { limit: limits.headers });
    }
    let authority = head.uri.authority().map_or(0, |authority| authority.as_str().len());
    let line = head.method.as_str().len() + AROUND_TARGET + authority + target;
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + AROUND_VALUE + value.len());
    if line + headers.sum::<usize>() + EMPTY_LINE > limits.bytes {
        return Err(BadRequest::HeadTooLarge { limit: limits.bytes });
    }
    if let Some(twice) = ONCE.iter().find(|name| head.headers.get_all(*name).iter().nth(1).is_some()) {
        return Err(BadRequest::Twice(twice.clone()));
    }
    check_host(head)
}

/// HTTP/1.1 asks for a `Host` even where it says nothing (RFC 9112, section 3.2); in HTTP/2 it may repeat `:authority`, and
/// nothing else (RFC 9113, section 8.3.1).
fn check_host(head: &Parts) -> Result<(), BadRequest> {
    match (head.headers.get(HOST), head.uri.authority(), head.version) {
        (None, _, Version::HTTP_11) => Err(BadRequest::Host),
        (Some(host), Some(authority), Version::HTTP_2)
            if !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            Err(BadRequest::Host)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const LIMITS: Limits = Limits { bytes: 200, headers: 4, uri: 50 };

    fn check_of(request: http::request::Builder) -> Result<(), BadRequest> {
        check(&request.body(()).unwrap().into_parts().0, LIMITS)
    }

    #[test]
    fn the_last_byte_that_fits_fits() {
        let with = |target: usize, value: usize| {
            let uri = format!("/{}", "x".repeat(target - 1));
            check_of(Request::get(uri).header("host", "a").header("b", "c".repeat(value)))
        };
        // "GET " + target + " HTTP/1.1\r\n" + "host: a\r\n" + "b: " + value + "\r\n" + "\r\n"
        let rest = LIMITS.bytes - (4 + 50 + 11 + 9 + 3 + 2 + 2);
        assert_eq!(with(50, rest), Ok(()));
        assert_eq!(with(50, rest + 1), Err(BadRequest::HeadTooLarge { limit: 200 }));
        assert_eq!(with(51, 1), Err(BadRequest::UriTooLong { limit: 50 }));
        let headers = |count: usize| {
            let request = Request::get("/").header("host", "a");
            check_of((1..count).fold(request, |request, n| request.header(format!("x{n}"), "")))
        };
        assert_eq!(headers(4), Ok(()));
        assert_eq!(headers(5), Err(BadRequest::TooManyHeaders { limit: 4 }));
    }

    #[test]
    fn hosts_agree() {
        let http2 = |host: &str| check_of(Request::get("https://a:1/").version(Version::HTTP_2).header("host", host));
        assert_eq!(http2("A:1"), Ok(()));
        assert_eq!(http2("b:1"), Err(BadRequest::Host));
        assert_eq!(check_of(Request::get("https://a:1/").version(Version::HTTP_2)), Ok(()));
        // In HTTP/1.1 the target counts (RFC 9112, section 3.2.2).
        assert_eq!(check_of(Request::get("https://a:1/").header("host", "b")), Ok(()));
        assert_eq!(check_of(Request::get("/")), Err(BadRequest::Host));
        assert_eq!(check_of(Request::get("/").version(Version::HTTP_10)), Ok(()), "which asks for none");
    }
}
