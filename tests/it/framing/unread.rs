//! Bodies that nbproxy refuses to read: what follows a refusal is read as a request only if the body's end is known, and
//! never from within the body ("CL.0").

use super::row::{BODY, GOOD, Row, SMUGGLED, Then, chunked, get, request, row};

/// Within what one read takes, and beyond it.
const LONG: usize = 48 * 1024;

pub(super) fn rows() -> Vec<Row> {
    [at_once(), later()].concat()
}

/// A request that is refused, with a body of this many bytes.
fn refused(length: usize, body: &str) -> String {
    by_reader(&format!("Content-Length: {length}\r\n"), body)
}

fn by_reader(fields: &str, body: &str) -> String {
    format!(
        "POST /api/dcim/sites/ HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-reader\r\n{fields}\r\n{body}"
    )
}

/// Head and body in one piece, and a good request behind it.
fn at_once() -> Vec<Row> {
    let cl = |body: &str| format!("Content-Length: {}\r\n", body.len());
    let te = "Transfer-Encoding: chunked\r\n";
    let long = SMUGGLED.repeat(LONG / SMUGGLED.len());
    let huge = SMUGGLED.repeat(100 * 1024 / SMUGGLED.len());
    vec![
        row("a denied write with a body", refused(19, BODY)).refused(403),
        row("a denied write whose body is a request", refused(SMUGGLED.len(), SMUGGLED)).refused(403),
        row("a denied write whose body is a request, and half of another", {
            let body = format!("{SMUGGLED}{}", &SMUGGLED[..20]);
            refused(body.len(), &body)
        })
        .refused(403),
        row("a denied write whose long body is many requests", refused(long.len(), &long)).refused(403),
        row("a denied write in chunks", by_reader(te, &chunked(BODY))).refused(403),
        row("a denied write in a chunk that is a request", by_reader(te, &chunked(SMUGGLED))).refused(403),
        row("a denied write in many chunks that are requests", by_reader(te, &chunked(&long).repeat(2))).refused(403),
        row("a denied write in bad chunks", by_reader(te, &format!("0x5\r\nhello\r\n0\r\n\r\n{SMUGGLED}")))
            .refused(403),
        row("a denied write in a chunk without its end", by_reader(te, &format!("5\r\nhello{SMUGGLED}"))).refused(403),
        row("a body larger than may be", request("POST /api/dcim/sites/ HTTP/1.1", &cl(&huge), &huge)).refused(413),
        row("a body so large that its client is still sending, and reads the refusal all the same", {
            let huge = SMUGGLED.repeat(8 * 1024 * 1024 / SMUGGLED.len());
            request("POST /api/dcim/sites/ HTTP/1.1", &cl(&huge), &huge)
        })
        .refused(413),
        row("a body larger than may be, in chunks", request("POST /api/dcim/sites/ HTTP/1.1", te, &chunked(&huge)))
            .refused(413),
        row("a body larger than may be, of which little comes", {
            request("POST /api/dcim/sites/ HTTP/1.1", "Content-Length: 99999999\r\n", SMUGGLED)
        })
        .refused(413),
        row("no key, and a body", {
            format!("POST /api/dcim/sites/ HTTP/1.1\r\nHost: nb.example\r\n{}\r\n{SMUGGLED}", cl(SMUGGLED))
        })
        .refused(403),
        row("a wrong key, and a body", {
            let key = "Authorization: Token wrong\r\n";
            format!("POST /api/dcim/sites/ HTTP/1.1\r\nHost: nb.example\r\n{key}{}\r\n{SMUGGLED}", cl(SMUGGLED))
        })
        .refused(403),
        row("no path of NetBox's, and a body", request("POST /login/ HTTP/1.1", &cl(SMUGGLED), SMUGGLED)).refused(404),
        row("a path of two readings, and a body", request("POST /api/x%2fy/ HTTP/1.1", &cl(SMUGGLED), SMUGGLED))
            .refused(400),
        row("no branch, and a body", request("POST /api/dcim/sites/?_branch=x HTTP/1.1", &cl(SMUGGLED), SMUGGLED))
            .refused(400),
        row("TRACE with a body", request("TRACE /api/dcim/sites/ HTTP/1.1", &cl(SMUGGLED), SMUGGLED)).refused(405),
        row("CONNECT with a body", request("CONNECT nb.example:443 HTTP/1.1", &cl(SMUGGLED), SMUGGLED)).refused(405),
        row("only from memory, where nothing is, and a body", {
            get("unread-memory", &format!("Cache-Control: only-if-cached\r\n{}", cl(SMUGGLED)), SMUGGLED)
        })
        .refused(504),
        row("a denied write, and a good request behind its body", format!("{}{GOOD}", refused(19, BODY))).refused(403),
    ]
}

/// The body comes when the refusal has been read: as if it were the next request.
fn later() -> Vec<Row> {
    let te = "Transfer-Encoding: chunked\r\n";
    let denied = |name, fields: &str, body: String| {
        row(name, by_reader(fields, "")).answered([403], []).then(Then::Closed).after(body)
    };
    vec![
        denied(
            "a body that comes after its refusal",
            &format!("Content-Length: {}\r\n", SMUGGLED.len()),
            SMUGGLED.into(),
        ),
        denied("half a body before its refusal, and half after", "Content-Length: 500\r\n", SMUGGLED.repeat(5)),
        denied(
            "a body of which all but the first bytes are a request",
            "Content-Length: 3\r\n",
            format!("abc{SMUGGLED}"),
        ),
        denied("chunks that come after their refusal", te, chunked(SMUGGLED)),
        denied("a last chunk that comes after its refusal, and a request", te, format!("0\r\n\r\n{SMUGGLED}")),
        row("a body larger than may be that comes after its refusal", {
            request("POST /api/dcim/sites/ HTTP/1.1", "Content-Length: 99999999\r\n", "")
        })
        .answered([413], [])
        .then(Then::Closed)
        .after(SMUGGLED),
        row("no path of NetBox's, and a body that comes after its refusal", {
            request("POST /login/ HTTP/1.1", &format!("Content-Length: {}\r\n", SMUGGLED.len()), "")
        })
        .answered([404], [])
        .then(Then::Closed)
        .after(SMUGGLED),
    ]
}
