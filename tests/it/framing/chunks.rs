//! Chunked bodies: sizes, extensions, line ends and trailers (RFC 9112, section 7.1).
//!
//! hyper ends every line of the coding at CRLF and takes a bare LF nowhere but in a trailer field's value; what it skips
//! (extensions, trailers) nbproxy does not pass on, so no reader behind it has them to read differently.

use super::row::{BODY, Row, SMUGGLED, Seen, Then, chunked, patch, patched, request, row, seen};

/// A write with these bytes after its head.
fn body(chunks: &str) -> String {
    patch("Transfer-Encoding: chunked\r\n", chunks)
}

/// The usual body in one chunk, by this size line (without CRLF).
fn sized(line: &str) -> String {
    body(&format!("{line}\r\n{BODY}\r\n0\r\n\r\n"))
}

/// What NetBox sees of a request that was one: NetBox knows of things that need the site (409).
fn smuggled() -> Seen {
    seen("DELETE", "/api/dcim/sites/9/", "")
}

pub(super) fn rows() -> Vec<Row> {
    [sizes(), extensions(), ends(), trailers(), truncated()].concat()
}

fn sizes() -> Vec<Row> {
    let fine = |name, line| row(name, sized(line)).answered([200], [patched(BODY)]);
    vec![
        fine("a size", "13"),
        fine("a size with leading zeros, which the grammar allows", "00000000000000000000000000000013"),
        fine("a size and spaces (lenient: section 7.1.1 has them before extensions only)", "13  "),
        fine("a size and a tab (lenient)", "13\t"),
        row("a size with 0x", sized("0x13")),
        row("a size with 0X", sized("0X13")),
        row("a size with +", sized("+13")),
        row("a size with -", sized("-13")),
        row("a size of -0", sized("-0")),
        row("a size after a space", sized(" 13")),
        row("a size after a tab", sized("\t13")),
        row("a size in two parts", sized("1 3")),
        row("a size with an underscore", sized("1_3")),
        row("a size with a comma", sized("1,3")),
        row("a size with a point", sized("13.0")),
        row("a size with h", sized("13h")),
        row("a size in quotes", sized("\"13\"")),
        row("no size", sized("")),
        row("no size but an extension", sized(";a=b")),
        row("a size that is no number", sized("xyz")),
        row("a size in digits of another script", sized("１３")),
        row("a size and NUL", sized("13\0")),
        row("a size and a vertical tab", sized("13\x0b")),
        row("a size and a form feed", sized("13\x0c")),
        row("a size of 2^64 + 19", sized("10000000000000013")),
        row("a size of a hundred digits", sized(&"f".repeat(100))),
        row("a size of 2^64 - 1 never ends", sized("FFFFFFFFFFFFFFFF")).abandoned(),
        row("a size of 2^63 never ends", sized("8000000000000000")).abandoned(),
        row("a size in lower and upper case", body("b\r\n{\"descripti\r\nB\r\non\":\"abcd\"}\r\n0\r\n\r\n"))
            .answered([200], [patched("{\"description\":\"abcd\"}")]),
        row("many small chunks", {
            let parts: Vec<String> = BODY.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
            body(&format!("{}0\r\n\r\n", parts.concat()))
        })
        .answered([200], [patched(BODY)]),
        row("more than may be in chunks", body(&chunked(&"x".repeat(100 * 1024)))).refused(413),
    ]
}

fn extensions() -> Vec<Row> {
    let fine = |name, line: &str| row(name, sized(line)).answered([200], [patched(BODY)]);
    vec![
        fine("an extension", "13;a=b"),
        fine("an extension in quotes", "13;a=\"b;c\""),
        fine("an extension without a name (lenient)", "13;"),
        fine("an extension of many (lenient)", "13;;;;=;"),
        fine("an extension with spaces around", "13 ; a = b"),
        fine("an extension that is no token (lenient)", "13;bad[=x"),
        fine("an extension with control characters (lenient)", "13;a=\x01\x0b\x7f"),
        fine("an extension that looks like a size", "13;13"),
        fine("an extension of the last chunk's looks", "13;0"),
        row("an extension with a bare LF", sized("13;a\nb")),
        row("TERM.EXT: an extension that ends at a bare LF", {
            body(&format!("2;\nxx\r\n{:x}\r\n0\r\n\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len() + 7))
        }),
        row("an extension with a bare CR", sized("13;a\rb")),
        row("an extension that ends at a bare CR", body(&format!("13;a\r{BODY}\r\n0\r\n\r\n"))),
        row("an extension whose quotes hold a line end", sized("13;a=\"\r\n\"")),
        row("quotes do not hide a line end: what follows is the client's own next request", {
            body(&format!("1;a=\"\r\nX\r\n0\r\n\r\n{SMUGGLED}\"\r\n"))
        })
        .answered([400, 409, 400], [patched("X"), smuggled()])
        .then(Then::Closed),
        row("extensions longer than hyper reads", sized(&format!("13;{}", "a".repeat(20_000)))),
        row("an extension of the last chunk", body(&format!("13\r\n{BODY}\r\n0;a=b\r\n\r\n")))
            .answered([200], [patched(BODY)]),
    ]
}

/// Where lines and chunks end.
fn ends() -> Vec<Row> {
    vec![
        row("a size that ends at a bare LF", body(&format!("13\n{BODY}\r\n0\r\n\r\n"))),
        row("a size that ends at a bare CR", body(&format!("13\r{BODY}\r\n0\r\n\r\n"))),
        row("a size that ends at LF CR", body(&format!("13\n\r{BODY}\r\n0\r\n\r\n"))),
        row("a size that ends at CR CR LF", body(&format!("13\r\r\n{BODY}\r\n0\r\n\r\n"))),
        row("a chunk that ends at a bare LF", body(&format!("13\r\n{BODY}\n0\r\n\r\n"))),
        row("a chunk that ends at a bare CR", body(&format!("13\r\n{BODY}\r0\r\n\r\n"))),
        row("a chunk without an end", body(&format!("13\r\n{BODY}0\r\n\r\n"))),
        row("SPILL: a chunk that ends at any two characters", body(&format!("13\r\n{BODY}XX0\r\n\r\n"))),
        row("a chunk longer than its size", body(&format!("5\r\n{BODY}\r\n0\r\n\r\n"))),
        row("a chunk shorter than its size", body(&format!("14\r\n{BODY}\r\n0\r\n\r\n"))),
        row("an empty line between chunks", body(&format!("13\r\n{BODY}\r\n\r\n0\r\n\r\n"))),
        row("an empty line before the first chunk", body(&format!("\r\n13\r\n{BODY}\r\n0\r\n\r\n"))),
        row("a last chunk of many zeros", body(&format!("13\r\n{BODY}\r\n00000000000000000000\r\n\r\n")))
            .answered([200], [patched(BODY)]),
        row("a last chunk that ends at a bare LF", body(&format!("13\r\n{BODY}\r\n0\n\r\n"))),
        row("a last chunk, CR and no LF", body(&format!("13\r\n{BODY}\r\n0\r\n\rX"))),
        row("a smuggled request behind the last chunk is the client's own next one", {
            body(&format!("{}{SMUGGLED}", chunked("{}")))
        })
        .answered([200, 409], [patched("{}"), smuggled()]),
    ]
}

/// Fields after the body: nbproxy passes none on, whatever they are called.
fn trailers() -> Vec<Row> {
    let fine = |name, fields: &str| {
        row(name, body(&format!("13\r\n{BODY}\r\n0\r\n{fields}\r\n"))).answered([200], [patched(BODY)])
    };
    let wrong = |name, fields: &str| row(name, body(&format!("13\r\n{BODY}\r\n0\r\n{fields}\r\n")));
    vec![
        fine("a trailer", "X-Checksum: 1\r\n"),
        fine("a length as a trailer", "Content-Length: 5\r\n"),
        fine("a coding as a trailer", "Transfer-Encoding: identity\r\n"),
        fine("a key as a trailer", "Authorization: Token key-of-reader\r\n"),
        fine("a name as a trailer", "Host: evil.example\r\n"),
        fine("a branch as a trailer", "X-NetBox-Branch: abcd1234\r\n"),
        fine("a type as a trailer", "Content-Type: text/html\r\n"),
        wrong("a trailer without a colon", "X-Checksum\r\n"),
        wrong("a trailer with a space before its colon", "X-Checksum : 1\r\n"),
        wrong("a trailer without a name", ": 1\r\n"),
        wrong("a trailer with a bare CR", "X-Checksum: 1\rX: 2\r\n"),
        wrong("a trailer with NUL", "X-Checksum: \0\r\n"),
        wrong("a folded trailer", "X-Checksum: 1\r\n 2\r\n"),
        wrong("a trailer longer than hyper reads", &format!("X: {}\r\n", "x".repeat(200_000))),
        wrong("more trailers than hyper reads", &"X: 1\r\n".repeat(200)),
        row("TRAIL.TERM: a trailer that ends at a bare LF", body(&format!("13\r\n{BODY}\r\n0\r\nX: 1\n\r\n")))
            .abandoned(),
        row("a smuggled request as a trailer", body(&format!("13\r\n{BODY}\r\n0\r\n{SMUGGLED}"))),
    ]
}

/// Nothing of a body that did not arrive whole is carried out, be it that only its last line end is missing.
fn truncated() -> Vec<Row> {
    vec![
        row("no chunk at all", body("")).abandoned(),
        row("half a size", body("1")).abandoned(),
        row("a size without its chunk", body("13\r\n")).abandoned(),
        row("half a chunk", body("13\r\n{\"desc")).abandoned(),
        row("a chunk without its end", body(&format!("13\r\n{BODY}"))).abandoned(),
        row("chunks without the last one", body(&format!("13\r\n{BODY}\r\n"))).abandoned(),
        row("a last chunk without its line end", body(&format!("13\r\n{BODY}\r\n0"))).abandoned(),
        row("a last chunk without the end of the trailers", body(&format!("13\r\n{BODY}\r\n0\r\n"))).abandoned(),
        row("trailers without their end", body(&format!("13\r\n{BODY}\r\n0\r\nX: 1\r\n"))).abandoned(),
        row("a trailer without its end", body(&format!("13\r\n{BODY}\r\n0\r\nX: 1"))).abandoned(),
        row("a DELETE whose chunks end early", {
            request("DELETE /api/dcim/sites/9/ HTTP/1.1", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n")
        })
        .abandoned(),
    ]
}
