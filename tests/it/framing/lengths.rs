//! How long a body is, by `Content-Length`: its forms, its repetition, and what follows a body that was said to be
//! shorter or longer than it is (RFC 9112, section 6.3; RFC 9110, section 8.6).

use super::row::{BODY, Row, SMUGGLED, Then, chunked, get, got, patch, patched, request, row, seen};

fn length(value: &str) -> String {
    patch(&format!("Content-Length:{value}\r\n"), BODY)
}

pub(super) fn rows() -> Vec<Row> {
    [forms(), repeated(), both(), bodies()].concat()
}

/// One `Content-Length`, a decimal number and nothing else.
fn forms() -> Vec<Row> {
    vec![
        row("a length", length(" 19")).answered([200], [patched(BODY)]),
        row("a length without a space before it", length("19")).answered([200], [patched(BODY)]),
        row("a length between spaces and tabs", length(" \t 19 \t ")).answered([200], [patched(BODY)]),
        row("a length with leading zeros, which the grammar allows", length(" 000019"))
            .answered([200], [patched(BODY)]),
        row("+19", length(" +19")),
        row("-19", length(" -19")),
        row("-0", length(" -0")),
        row("0x13", length(" 0x13")),
        row("0o23", length(" 0o23")),
        row("1 9", length(" 1 9")),
        row("1_9", length(" 1_9")),
        row("19.0", length(" 19.0")),
        row("1.9e1", length(" 1.9e1")),
        row("19;", length(" 19;")),
        row("quoted", length(" \"19\"")),
        row("no digits at all", length(" ")),
        row("digits of another script", length(" １９")),
        row("a length and a vertical tab", length(" 19\x0b")),
        row("a length and a form feed", length(" 19\x0c")),
        row("a length and NUL", length(" 19\0")),
        row("2^64", length(" 18446744073709551616")),
        row("2^64 - 1, which hyper keeps for itself", length(" 18446744073709551615")),
        row("2^64 + 19", length(" 18446744073709551635")),
        row("2^63, larger than may be", length(" 9223372036854775808")).refused(413),
        row("a hundred digits", length(&format!(" {}", "9".repeat(100)))),
        row("a name with an underscore is another header: the body is a request that is none", {
            patch("Content_Length: 19\r\n", BODY)
        })
        .answered([200, 400], [patched("")])
        .then(Then::Closed),
    ]
}

/// Several of them. Equal ones may be taken for one (section 6.3, paragraph 5), unequal ones not.
fn repeated() -> Vec<Row> {
    let two = |one: &str, other: &str| patch(&format!("Content-Length: {one}\r\nContent-Length: {other}\r\n"), BODY);
    vec![
        row("twice the same length", two("19", "19")).answered([200], [patched(BODY)]),
        row("a shorter and the right length", two("5", "19")),
        row("the right and a shorter length", two("19", "5")),
        row("zero and the right length", two("0", "19")),
        row("the right length and no number", two("19", "x")),
        row("the same length in other digits", two("19", "019")).either(patched(BODY)),
        row("a list of equal lengths", length(" 19, 19")),
        row("a list of unequal lengths", length(" 19, 5")),
        row("a list with an empty member", length(" 19,")),
        row("a list that begins with an empty member", length(" ,19")),
        row("equal lengths apart from each other", {
            patch("Content-Length: 19\r\nX-Between: 1\r\nCONTENT-LENGTH: 19\r\n", BODY)
        })
        .answered([200], [patched(BODY)]),
        row("a smuggled request behind the shorter of two lengths", {
            let lengths = format!("Content-Length: 0\r\nContent-Length: {}\r\n", SMUGGLED.len());
            request("POST /api/dcim/sites/ HTTP/1.1", &lengths, SMUGGLED)
        }),
    ]
}

/// Both lengths: RFC 9112, section 6.3, lets a server refuse or go by the chunks; it must close in any case.
fn both() -> Vec<Row> {
    let (te, cl) = ("Transfer-Encoding: chunked\r\n", |length: usize| format!("Content-Length: {length}\r\n"));
    let chunks = chunked(BODY);
    let smuggling = format!("0\r\n\r\n{SMUGGLED}");
    let post = |fields: &str, body: &str| request("POST /api/dcim/sites/ HTTP/1.1", fields, body);
    let both = |name, sent: String| row(name, sent).last(patched(BODY));
    let none = |name, sent: String| row(name, sent).last(seen("POST", "/api/dcim/sites/", ""));
    vec![
        both("a length, then chunks", patch(&format!("{}{te}", cl(chunks.len())), &chunks)),
        both("chunks, then a length", patch(&format!("{te}{}", cl(chunks.len())), &chunks)),
        both("a length of zero, then chunks", patch(&format!("{}{te}", cl(0)), &chunks)),
        both("a length beyond the chunks", patch(&format!("{}{te}", cl(5000)), &chunks)),
        both("chunks in capitals, then a length", {
            patch(&format!("TRANSFER-ENCODING: CHUNKED\r\n{}", cl(4)), &chunks)
        }),
        both("chunks, then what is no length, which hyper does not look at any more", {
            patch(&format!("{te}Content-Length: x\r\n"), &chunks)
        }),
        both("chunks, then two unequal lengths", patch(&format!("{te}{}{}", cl(1), cl(2)), &chunks)),
        both("two equal lengths around chunks", patch(&format!("{}{te}{}", cl(3), cl(3)), &chunks)),
        row("what is no length, then chunks", patch(&format!("Content-Length: x\r\n{te}"), &chunks)),
        row("two unequal lengths, then chunks", patch(&format!("{}{}{te}", cl(1), cl(2)), &chunks)),
        none("CL.TE: a smuggled request behind the chunks, within the length", {
            post(&format!("{}{te}", cl(smuggling.len())), &smuggling)
        }),
        none("TE.CL: the same, the other way round", post(&format!("{te}{}", cl(smuggling.len())), &smuggling)),
        row("TE.CL: a smuggled request within a chunk, behind the length", {
            post(&format!("{}{te}", cl(4)), &chunked(SMUGGLED))
        })
        .last(seen("POST", "/api/dcim/sites/", SMUGGLED)),
        row("both lengths, and a connection that is to stay open", {
            patch(&format!("Connection: keep-alive\r\n{}{te}", cl(chunks.len())), &format!("{chunks}{SMUGGLED}"))
        })
        .last(patched(BODY)),
        row("a length with a space before its colon, and chunks", {
            patch(&format!("Content-Length : 5\r\n{te}"), &chunks)
        }),
        row("a length in an underscored name, and chunks", patch(&format!("Content_Length: 5\r\n{te}"), &chunks))
            .answered([200], [patched(BODY)]),
    ]
}

/// Bodies where none is usual, and of another length than was said.
fn bodies() -> Vec<Row> {
    let cl = |body: &str| format!("Content-Length: {}\r\n", body.len());
    vec![
        row("a body with a GET", get("length-get", &cl(BODY), BODY)).answered([200], [got("length-get", BODY)]),
        row("a GET that says it has no body", get("length-zero", "Content-Length: 0\r\n", ""))
            .answered([200], [got("length-zero", "")]),
        row("a smuggled request as the body of a GET", get("length-smuggled", &cl(SMUGGLED), SMUGGLED))
            .answered([200], [got("length-smuggled", SMUGGLED)]),
        row("a smuggled request as the body of a HEAD", {
            request("HEAD /api/dcim/sites/2/?row=length-head HTTP/1.1", &cl(SMUGGLED), SMUGGLED)
        })
        .answered([200], [got("length-head", SMUGGLED)])
        .head(),
        row("a smuggled request as the body of an OPTIONS", {
            request("OPTIONS /api/dcim/sites/2/ HTTP/1.1", &cl(SMUGGLED), SMUGGLED)
        })
        .answered([200], [seen("OPTIONS", "/api/dcim/sites/2/", SMUGGLED)]),
        row("a smuggled request as the body of a PATCH", patch(&cl(SMUGGLED), SMUGGLED))
            .answered([400], [patched(SMUGGLED)]),
        row("a smuggled request as the body of a DELETE of what is not there", {
            request("DELETE /api/dcim/sites/4711/ HTTP/1.1", &cl(SMUGGLED), SMUGGLED)
        })
        .answered([404], [seen("DELETE", "/api/dcim/sites/4711/", SMUGGLED)]),
        row("a POST without a length", request("POST /api/dcim/sites/ HTTP/1.1", "", ""))
            .answered([400], [seen("POST", "/api/dcim/sites/", "")]),
        row("a body longer than was said", patch("Content-Length: 5\r\n", BODY))
            .answered([400, 400], [patched(&BODY[..5])])
            .then(Then::Closed),
        row("a body longer than was said by a blank line", patch("Content-Length: 19\r\n", &format!("{BODY}\r\n")))
            .answered([200], [patched(BODY)]),
        row("a body shorter than was said", patch("Content-Length: 50\r\n", BODY)).abandoned(),
        row("a body of which nothing comes", patch("Content-Length: 19\r\n", "")).abandoned(),
        row("a body shorter than was said by all but one", patch("Content-Length: 20\r\n", BODY)).abandoned(),
    ]
}
