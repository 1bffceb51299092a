//! A list of any length, made while it is sent.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const HEAD: &str = r#"{"count":null,"next":null,"previous":null,"results":["#;
const TAIL: &str = "]}";

/// Sends exactly so many bytes of JSON.
pub(crate) async fn send(stream: &mut TcpStream, total: u64, url: &str) -> io::Result<()> {
    let mut rows = Rows { id: 0, url, left: total, done: false };
    let mut buffer = String::new();
    while rows.fill(&mut buffer) {
        stream.write_all(buffer.as_bytes()).await?;
        buffer.clear();
    }
    Ok(())
}

struct Rows<'a> {
    id: u64,
    url: &'a str,
    left: u64,
    done: bool,
}

impl Rows<'_> {
    fn row(&self, filler: usize) -> String {
        let comma = if self.id > 1 { "," } else { "" };
        let (id, url) = (self.id, self.url);
        let text = "x".repeat(filler);
        format!(r#"{comma}{{"id":{id},"url":"{url}{id}/","display":"row {id}","description":"{text}"}}"#)
    }

    /// Puts the next piece into the buffer; false once nothing is left.
    fn fill(&mut self, buffer: &mut String) -> bool {
        if self.done {
            return false;
        }
        if self.id == 0 {
            buffer.push_str(HEAD);
            self.left = self.left.saturating_sub((HEAD.len() + TAIL.len()) as u64);
        }
        while buffer.len() < 64 << 10 {
            self.id += 1;
            let usual = self.row(100);
            // The last row is stretched so that the sum is exact.
            if self.left < 2 * usual.len() as u64 + 100 {
                let bare = self.row(0).len();
                let left = usize::try_from(self.left).unwrap_or(0);
                buffer.push_str(&self.row(left.saturating_sub(bare)));
                buffer.push_str(TAIL);
                self.done = true;
                return true;
            }
            self.left -= usual.len() as u64;
            buffer.push_str(&usual);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn the_length_is_exact_and_the_text_is_json() {
        for total in [1000u64, 4096, 100_000, 300_001] {
            let mut rows = Rows { id: 0, url: "http://h/api/x/", left: total, done: false };
            let mut all = String::new();
            let mut piece = String::new();
            while rows.fill(&mut piece) {
                all.push_str(&piece);
                piece.clear();
            }
            assert_eq!(all.len() as u64, total);
            let parsed: serde_json::Value = serde_json::from_str(&all).expect("JSON");
            assert!(parsed["results"].as_array().is_some_and(|rows| !rows.is_empty()));
        }
    }
}
