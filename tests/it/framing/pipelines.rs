//! Several requests on one connection, sent at once: each is answered, in order, by what it asked for (RFC 9112,
//! section 9.3.2).

use super::row::{BODY, Row, SMUGGLED, Then, chunked, get, got, patch, patched, request, row, seen};

const LENGTH: &str = "Content-Length: 19\r\n";

fn site(id: u8) -> String {
    request(&format!("GET /api/dcim/sites/{id}/?row=pipe HTTP/1.1"), "", "")
}

fn site_seen(id: u8) -> super::row::Seen {
    seen("GET", &format!("/api/dcim/sites/{id}/?row=pipe"), "")
}

const STARTS: [&str; 10] = [
    "{\"id\":1,",
    "{\"id\":2,",
    "{\"id\":3,",
    "{\"id\":4,",
    "{\"id\":5,",
    "{\"id\":6,",
    "{\"id\":7,",
    "{\"id\":8,",
    "{\"id\":9,",
    "{\"id\":10,",
];

pub(super) fn rows() -> Vec<Row> {
    let two = |one: &str, other: &str| format!("{one}{other}");
    vec![
        row("two reads", two(&get("pipe-a", "", ""), &get("pipe-b", "", "")))
            .answered([200, 200], [got("pipe-a", ""), got("pipe-b", "")]),
        row("ten reads, of which each has its own answer", (1..=10).map(site).collect::<String>())
            .answered([200; 10], (1..=10).map(site_seen).collect::<Vec<_>>())
            .saying(STARTS),
        row("ten reads, backwards, from memory", (1..=10).rev().map(site).collect::<String>())
            .answered([200; 10], [])
            .saying(STARTS.into_iter().rev().collect::<Vec<_>>()),
        row("fifty reads", site(2).repeat(50)).answered([200; 50], []).saying([STARTS[1]; 50]),
        row("a write, then a read of what it wrote", {
            two(&patch("Content-Length: 22\r\n", "{\"description\":\"pipe\"}"), &site(1))
        })
        .answered([200, 200], [patched("{\"description\":\"pipe\"}"), site_seen(1)])
        .saying(["\"description\":\"pipe\"", "\"description\":\"pipe\""]),
        row("a write in chunks, then a read", {
            two(&patch("Transfer-Encoding: chunked\r\n", &chunked(BODY)), &site(2))
        })
        .answered([200, 200], [patched(BODY), site_seen(2)])
        .saying(["{\"id\":1,", "{\"id\":2,"]),
        row("ten writes", patch(LENGTH, BODY).repeat(10)).answered([200; 10], vec![patched(BODY); 10]),
        row("a GET with a body, then a read", two(&get("pipe-body", LENGTH, BODY), &get("pipe-after", "", "")))
            .answered([200, 200], [got("pipe-body", BODY), got("pipe-after", "")]),
        row("a GET with chunks, then a read", {
            two(&get("pipe-chunks", "Transfer-Encoding: chunked\r\n", &chunked(BODY)), &get("pipe-later", "", ""))
        })
        .answered([200, 200], [got("pipe-chunks", BODY), got("pipe-later", "")]),
        row("a line end between two requests", two(&get("pipe-c", "", ""), &format!("\r\n{}", get("pipe-d", "", ""))))
            .answered([200, 200], [got("pipe-c", ""), got("pipe-d", "")]),
        row("a read, then nonsense", two(&get("pipe-e", "", ""), "nonsense\r\n\r\n"))
            .answered([200, 400], [got("pipe-e", "")])
            .then(Then::Closed),
        row("a read, nonsense, then a smuggled request", two(&get("pipe-f", "", ""), &format!("x\r\n\r\n{SMUGGLED}")))
            .answered([200, 400], [got("pipe-f", "")])
            .then(Then::Closed),
        row("a write, then both lengths, then a smuggled request", {
            let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
            two(&patch(LENGTH, BODY), &format!("{}{SMUGGLED}", get("pipe-g", both, "x\r\n\r\n")))
        })
        .answered([200, 400], [patched(BODY)])
        .then(Then::Closed),
        row("a HEAD, then a HEAD", request("HEAD /api/dcim/sites/2/?row=pipe-head HTTP/1.1", "", "").repeat(2))
            .answered([200, 200], [got("pipe-head", "")])
            .head(),
        row("HTTP/1.0, then a request that nobody waits for", {
            two(&request("GET /api/dcim/sites/2/?row=pipe-old HTTP/1.0", "", ""), SMUGGLED)
        })
        .answered([200], [got("pipe-old", "")])
        .then(Then::Closed),
        row(
            "a good request, and half a one",
            two(&get("pipe-h", "", ""), "DELETE /api/dcim/sites/9/ HTTP/1.1\r\nHost: x"),
        )
        .answered([200], [got("pipe-h", "")])
        .then(Then::HungUp),
        row("a good request, and one without its body", {
            two(&get("pipe-i", "", ""), &patch("Content-Length: 1000\r\n", SMUGGLED))
        })
        .answered([200], [got("pipe-i", "")])
        .then(Then::HungUp),
    ]
}
