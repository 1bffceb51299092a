//! One connection: GET after GET, until the other side goes. Bodies of requests are not read, for none has one.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::netbox::Netbox;

const LONGEST_HEAD: usize = 64 * 1024;

/// Answers what is asked; an end or a fault on either side ends the connection, and is nobody's business.
pub fn run(mut stream: &TcpStream, netbox: &Netbox) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (mut pending, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    let mut out = Vec::new();
    loop {
        let Some(end) = find_end(&pending) else {
            match stream.read(&mut chunk) {
                Ok(read) if read > 0 && pending.len() < LONGEST_HEAD => pending.extend_from_slice(&chunk[..read]),
                _ => return,
            }
            continue;
        };
        let head = String::from_utf8_lossy(&pending[..end]).into_owned();
        pending.drain(..end);
        out.clear();
        netbox.answer(head.split(' ').nth(1).unwrap_or("/"), &mut out);
        if stream.write_all(&out).is_err() || wants_close(&head) {
            return;
        }
    }
}

fn find_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|start| start + 4)
}

fn wants_close(head: &str) -> bool {
    let first = head.lines().next().unwrap_or_default();
    first.ends_with("HTTP/1.0") || head.to_ascii_lowercase().contains("\r\nconnection: close")
}
