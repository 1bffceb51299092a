//! `Expect` and `Upgrade`: neither changes where a request ends (RFC 9110, sections 7.8 and 10.1.1).
//!
//! nbproxy passes neither on. It asks for a body that is waited for (100) only when it wants to read it; hyper closes the
//! connection of a client that was refused and may or may not send its body yet.

use super::row::{BODY, Row, SMUGGLED, Then, chunked, get, got, patch, patched, request, row};

const EXPECT: &str = "Expect: 100-continue\r\n";
const LENGTH: &str = "Content-Length: 19\r\n";

pub(super) fn rows() -> Vec<Row> {
    [continues(), others(), refusals(), upgrades()].concat()
}

fn continues() -> Vec<Row> {
    vec![
        row("a body that waits to be asked for", patch(&format!("{EXPECT}{LENGTH}"), ""))
            .answered([100, 200], [patched(BODY)])
            .after(BODY),
        row("a body that does not wait", patch(&format!("{EXPECT}{LENGTH}"), BODY))
            .answered([100, 200], [patched(BODY)]),
        row("chunks that wait", patch(&format!("{EXPECT}Transfer-Encoding: chunked\r\n"), ""))
            .answered([100, 200], [patched(BODY)])
            .after(chunked(BODY)),
        row("100-CONTINUE", patch(&format!("Expect: 100-CONTINUE\r\n{LENGTH}"), ""))
            .answered([100, 200], [patched(BODY)])
            .after(BODY),
        row("a body that never comes", patch(&format!("{EXPECT}{LENGTH}"), "")).answered([100], []).then(Then::HungUp),
        row(
            "another request in place of the body is the body",
            patch(&format!("{EXPECT}Content-Length: {}\r\n", SMUGGLED.len()), ""),
        )
        .answered([100, 400], [patched(SMUGGLED)])
        .after(SMUGGLED),
        row("an expectation without a body", get("expect-none", EXPECT, "")).answered([200], [got("expect-none", "")]),
        row("an expectation with a body of nothing", get("expect-zero", &format!("{EXPECT}Content-Length: 0\r\n"), ""))
            .answered([200], [got("expect-zero", "")]),
        row("0.CL: an expectation, a GET and a smuggled request as its body", {
            get("expect-get", &format!("{EXPECT}Content-Length: {}\r\n", SMUGGLED.len()), SMUGGLED)
        })
        .answered([100, 200], [got("expect-get", SMUGGLED)]),
        row("HTTP/1.0 expects nothing", {
            let fields = format!("Content-Type: application/json\r\n{EXPECT}{LENGTH}");
            request("PATCH /api/dcim/sites/1/ HTTP/1.0", &fields, BODY)
        })
        .answered([200], [patched(BODY)])
        .then(Then::Closed),
    ]
}

/// 417 may be said of them, and need not (RFC 9110, section 10.1.1).
fn others() -> Vec<Row> {
    let other = |name, expect: &str| row(name, patch(&format!("{expect}{LENGTH}"), BODY)).either(patched(BODY));
    vec![
        other("an expectation that nobody knows", "Expect: 200-maybe\r\n"),
        other("an expectation of nothing", "Expect:\r\n"),
        other("an expectation in quotes", "Expect: \"100-continue\"\r\n"),
        other("an expectation with a parameter", "Expect: 100-continue;q=1\r\n"),
        other("an expectation with a word before it", "Expect: y 100-continue\r\n"),
        other("two expectations in a list", "Expect: 100-continue, 200-maybe\r\n"),
        other("an expectation, and one that nobody knows", "Expect: 100-continue\r\nExpect: 200-maybe\r\n"),
        row("an expectation on a folded line", patch(&format!("Expect:\r\n 100-continue\r\n{LENGTH}"), BODY)),
        row("an expectation with a space before its colon", patch(&format!("Expect : 100-continue\r\n{LENGTH}"), BODY)),
    ]
}

/// Refused before the body was asked for: no 100, and no request in the body's place.
fn refusals() -> Vec<Row> {
    let denied = |length: usize, body: &str| {
        let key = "Authorization: Token key-of-reader\r\n";
        format!(
            "POST /api/dcim/sites/ HTTP/1.1\r\nHost: nb.example\r\n{key}{EXPECT}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    vec![
        row("denied, and the body does not come", denied(19, "")).answered([403], []).then(Then::Closed),
        row("denied, and the body comes all the same", denied(SMUGGLED.len(), ""))
            .answered([403], [])
            .then(Then::Closed)
            .after(SMUGGLED),
        row("denied, and another request comes in the body's place", denied(1000, ""))
            .answered([403], [])
            .then(Then::Closed)
            .after(SMUGGLED),
        row("denied, and the body was there already", denied(SMUGGLED.len(), SMUGGLED)).refused(403),
        row("larger than may be, and not asked for", {
            request("POST /api/dcim/sites/ HTTP/1.1", &format!("{EXPECT}Content-Length: 99999999\r\n"), "")
        })
        .answered([413], [])
        .then(Then::Closed)
        .after(SMUGGLED),
        row("an expectation and both lengths", {
            patch(&format!("{EXPECT}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), &chunked(BODY))
        })
        .answered([100, 200], [patched(BODY)])
        .then(Then::Closed),
    ]
}

/// nbproxy speaks HTTP/1 on this connection to its end.
fn upgrades() -> Vec<Row> {
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
                     dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let fine = |name, mark, fields: &str| row(name, get(mark, fields, "")).answered([200], [got(mark, "")]);
    vec![
        fine("an upgrade to HTTP/2", "up-h2c", h2c),
        fine("an upgrade to websockets", "up-ws", websocket),
        fine("an upgrade that Connection does not name", "up-bare", "Upgrade: h2c\r\n"),
        fine("an upgrade to another version of TLS", "up-tls", "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
        row("an upgrade to HTTP/2 with a body", patch(&format!("{h2c}{LENGTH}"), BODY))
            .answered([200], [patched(BODY)]),
        row("an upgrade to HTTP/2, then HTTP/2", get("up-preface", h2c, ""))
            .answered([200], [got("up-preface", "")])
            .after(preface)
            .then(Then::Closed),
        row("an upgrade to websockets, then a request", get("up-then", websocket, ""))
            .answered([200, 200], [got("up-then", ""), got("up-next", "")])
            .after(get("up-next", "", "")),
        row("CONNECT, then a request", request("CONNECT nb.example:443 HTTP/1.1", "", ""))
            .answered([405, 200], [got("up-connect", "")])
            .after(get("up-connect", "", "")),
        row("CONNECT, then TLS", request("CONNECT nb.example:443 HTTP/1.1", "", ""))
            .answered([405, 400], [])
            .after(b"\x16\x03\x01\x00\x05hello\r\n\r\n".as_slice())
            .then(Then::Closed),
    ]
}
