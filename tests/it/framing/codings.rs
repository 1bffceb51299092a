//! `Transfer-Encoding`: what is `chunked` and what only looks like it (RFC 9112, sections 6.1 and 7).
//!
//! hyper looks at the last member of the last line alone. That frames the body rightly, but what was said before it
//! (`gzip`, a second `chunked`) is not undone: NetBox gets those bytes as they are, within a length of nbproxy's.

use super::row::{BODY, Row, SMUGGLED, Then, chunked, get, got, patch, patched, request, row, seen};

fn coded(value: &str) -> String {
    patch(&format!("Transfer-Encoding:{value}\r\n"), &chunked(BODY))
}

pub(super) fn rows() -> Vec<Row> {
    [values(), lists(), names(), with_methods()].concat()
}

fn values() -> Vec<Row> {
    vec![
        row("chunked", coded(" chunked")).answered([200], [patched(BODY)]),
        row("Chunked, as case means nothing", coded(" ChUnKeD")).answered([200], [patched(BODY)]),
        row("chunked without a space before it", coded("chunked")).answered([200], [patched(BODY)]),
        row("chunked between tabs", coded("\tchunked\t")).answered([200], [patched(BODY)]),
        row("xchunked", coded(" xchunked")),
        row("chunkedx", coded(" chunkedx")),
        row("chunk", coded(" chunk")),
        row("chunked in two words", coded(" chun ked")),
        row("chunked in quotes", coded(" \"chunked\"")),
        row("chunked with a parameter", coded(" chunked;q=1")),
        row("chunked and a vertical tab", coded(" chunked\x0b")),
        row("a vertical tab and chunked", coded(" \x0bchunked")),
        row("chunked and a form feed", coded(" chunked\x0c")),
        row("chunked and NUL", coded(" chunked\0")),
        row("chunked and a bare CR", coded(" chunked\r")),
        row("chunked and a space that is none", coded(" chunked\u{a0}")),
        row("chunked with a letter that lower-cases to k", coded(" chun\u{212a}ed")),
        row("identity", coded(" identity")),
        row("gzip", coded(" gzip")),
        row("no coding at all", coded(" ")),
    ]
}

fn lists() -> Vec<Row> {
    let two = |one: &str, other: &str| {
        let fields = format!("Transfer-Encoding: {one}\r\nTransfer-Encoding: {other}\r\n");
        patch(&fields, &chunked(BODY))
    };
    vec![
        row("chunked, identity", coded(" chunked, identity")),
        row("chunked, gzip", coded(" chunked, gzip")),
        row("chunked and an empty member", coded(" chunked,")),
        row("an empty member and chunked, which means chunked", coded(" ,chunked")).either(patched(BODY)),
        row("identity, chunked (lenient: there is no identity any more)", coded(" identity, chunked"))
            .either(patched(BODY)),
        row("gzip, chunked (lenient: 501 would say that gzip is not undone)", coded(" gzip, chunked"))
            .either(patched(BODY)),
        row("x, chunked (lenient: nobody knows x)", coded(" x, chunked")).either(patched(BODY)),
        row("chunked, chunked (lenient: once is what is allowed)", coded(" chunked, chunked")).either(patched(BODY)),
        row("a line of chunked, and one of identity", two("chunked", "identity")),
        row("a line of identity, and one of chunked (lenient)", two("identity", "chunked")).either(patched(BODY)),
        row("a line of chunked, and one of x", two("chunked", "x")),
        row("a line of x, and one of chunked (lenient)", two("x", "chunked")).either(patched(BODY)),
        row("two lines of chunked (lenient)", two("chunked", "chunked")).either(patched(BODY)),
        row("a smuggled request behind identity, chunked", {
            let body = format!("{}{SMUGGLED}", chunked(BODY));
            patch("Transfer-Encoding: identity, chunked\r\nConnection: close\r\n", &body)
        })
        .last(patched(BODY)),
    ]
}

fn names() -> Vec<Row> {
    let named = |field: &str| patch(field, &chunked(BODY));
    vec![
        row("a coding with a space before its colon", named("Transfer-Encoding : chunked\r\n")),
        row("a coding with a tab before its colon", named("Transfer-Encoding\t: chunked\r\n")),
        row("a coding with a vertical tab before its colon", named("Transfer-Encoding\x0b: chunked\r\n")),
        row("a coding with a space before its name", named(" Transfer-Encoding: chunked\r\n")),
        row("a coding on a folded line", named("Transfer-Encoding:\r\n chunked\r\n")),
        row("a coding on a line folded by a tab", named("Transfer-Encoding:\r\n\tchunked\r\n")),
        row("a coding folded into another field", named("X-Other: a\r\n Transfer-Encoding: chunked\r\n")),
        row("a coding behind a bare CR", named("X-Other: a\rTransfer-Encoding: chunked\r\n")),
        row("a coding behind NUL", named("X-Other: a\0Transfer-Encoding: chunked\r\n")),
        row(
            "a coding behind a bare LF, which ends a line (section 2.2)",
            named("X-Other: a\nTransfer-Encoding: chunked\r\n"),
        )
        .answered([200], [patched(BODY)]),
        row("a coding without a colon", named("Transfer-Encoding chunked\r\n")),
        row("an underscored name is another header: the chunks are a request that is none", {
            named("Transfer_Encoding: chunked\r\n")
        })
        .answered([200, 400], [patched("")])
        .then(Then::Closed),
        row("an underscored name, within a length", {
            let body = chunked(BODY);
            patch(&format!("Transfer_Encoding: chunked\r\nContent-Length: {}\r\n", body.len()), &body)
        })
        .answered([400], [patched(&chunked(BODY))]),
        row(
            "TE and Trailer frame nothing",
            patch("TE: chunked\r\nTrailer: Content-Length\r\nContent-Length: 19\r\n", BODY),
        )
        .answered([200], [patched(BODY)]),
    ]
}

fn with_methods() -> Vec<Row> {
    let te = "Transfer-Encoding: chunked\r\n";
    vec![
        row("a GET with chunks", get("coding-get", te, &chunked(BODY))).answered([200], [got("coding-get", BODY)]),
        row("a GET with the last chunk alone", get("coding-empty", te, "0\r\n\r\n"))
            .answered([200], [got("coding-empty", "")]),
        row("a smuggled request in the chunks of a GET", get("coding-smuggled", te, &chunked(SMUGGLED)))
            .answered([200], [got("coding-smuggled", SMUGGLED)]),
        row("TE.0: a smuggled request in the chunks of an OPTIONS", {
            request("OPTIONS /api/dcim/sites/2/ HTTP/1.1", te, &chunked(SMUGGLED))
        })
        .answered([200], [seen("OPTIONS", "/api/dcim/sites/2/", SMUGGLED)]),
        row("a HEAD with chunks", {
            request("HEAD /api/dcim/sites/2/?row=coding-head HTTP/1.1", te, &chunked(SMUGGLED))
        })
        .answered([200], [got("coding-head", SMUGGLED)])
        .head(),
        row("HTTP/1.0 knows no chunks", request("PATCH /api/dcim/sites/1/ HTTP/1.0", te, &chunked(BODY))),
        row("HTTP/1.0 knows no chunks, and a length does not help", {
            request("PATCH /api/dcim/sites/1/ HTTP/1.0", &format!("Content-Length: 5\r\n{te}"), &chunked(BODY))
        }),
        row("HTTP/1.0 knows no codings", {
            request("PATCH /api/dcim/sites/1/ HTTP/1.0", "Transfer-Encoding: identity\r\nContent-Length: 19\r\n", BODY)
        }),
    ]
}
