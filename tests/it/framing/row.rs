//! A row of the table: what is sent, and what must become of it.

use fake_netbox::Received;

/// What is sent, and what must become of it.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) sent: Vec<u8>,
    /// Sent once the first answer has come.
    pub(super) after: Option<Vec<u8>>,
    /// Whether the answers are to HEADs, and have no bodies.
    pub(super) head: bool,
    pub(super) expected: Expected,
}

/// What must become of a row.
#[derive(Clone)]
pub(super) enum Expected {
    /// Refused with 4xx or 505, and closed; NetBox sees nothing.
    Rejected,
    /// Answered with these statuses and no others, after NetBox has seen exactly these requests: none where nbproxy
    /// itself refuses.
    Reframed { answers: Vec<u16>, says: Vec<&'static str>, seen: Vec<Seen>, then: Then },
    /// RFC 9112 leaves the choice: refused, or answered after NetBox has seen exactly this.
    Either { seen: Seen, then: Then },
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It answers a good request.
    Open,
    /// It is closed, without being told to.
    Closed,
    /// It answers a good request, or is closed; nothing else.
    InStep,
    /// The client hangs up amid its request: that is refused, or the connection closed without a word.
    HungUp,
}

/// A request as NetBox sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    method: String,
    target: String,
    body: String,
}

impl Seen {
    pub(super) fn of(received: &Received) -> Self {
        let body = String::from_utf8_lossy(&received.body).into_owned();
        Self { method: received.method.clone(), target: received.target.clone(), body }
    }
}

/// A row that is to be rejected, unless more is said.
pub(super) fn row(name: &'static str, sent: impl Into<Vec<u8>>) -> Row {
    Row { name, sent: sent.into(), after: None, head: false, expected: Expected::Rejected }
}

impl Row {
    /// Closed without a word; NetBox sees nothing.
    pub(super) fn dropped(self) -> Self {
        self.answered([], []).then(Then::Closed)
    }

    /// The client hangs up amid its request; NetBox sees nothing.
    pub(super) fn abandoned(self) -> Self {
        self.answered([], []).then(Then::HungUp)
    }

    /// nbproxy itself refuses what it has understood.
    pub(super) fn refused(self, status: u16) -> Self {
        self.answered([status], []).then(Then::InStep)
    }

    pub(super) fn answered(self, answers: impl Into<Vec<u16>>, seen: impl Into<Vec<Seen>>) -> Self {
        let (answers, seen) = (answers.into(), seen.into());
        Self { expected: Expected::Reframed { answers, says: Vec::new(), seen, then: Then::Open }, ..self }
    }

    /// Refused or answered, in step or closed.
    pub(super) fn either(self, seen: Seen) -> Self {
        Self { expected: Expected::Either { seen, then: Then::InStep }, ..self }
    }

    /// Refused or answered, and the last request of its connection.
    pub(super) fn last(self, seen: Seen) -> Self {
        Self { expected: Expected::Either { seen, then: Then::Closed }, ..self }
    }

    pub(super) fn then(mut self, now: Then) -> Self {
        match &mut self.expected {
            Expected::Reframed { then, .. } | Expected::Either { then, .. } => *then = now,
            Expected::Rejected => {}
        }
        self
    }

    /// What the answers hold, in their order.
    pub(super) fn saying(mut self, texts: impl Into<Vec<&'static str>>) -> Self {
        if let Expected::Reframed { says, .. } = &mut self.expected {
            *says = texts.into();
        }
        self
    }

    /// Sent once the first answer has come.
    pub(super) fn after(self, sent: impl Into<Vec<u8>>) -> Self {
        Self { after: Some(sent.into()), ..self }
    }

    /// The answers are to HEADs.
    pub(super) fn head(self) -> Self {
        Self { head: true, ..self }
    }

    /// How many answers are waited for.
    pub(super) fn answers(&self) -> usize {
        match &self.expected {
            Expected::Reframed { answers, .. } => answers.len(),
            Expected::Rejected | Expected::Either { .. } => 1,
        }
    }

    /// What becomes of the connection after them.
    pub(super) fn becomes(&self) -> Then {
        match &self.expected {
            Expected::Reframed { then, .. } | Expected::Either { then, .. } => *then,
            Expected::Rejected => Then::Closed,
        }
    }
}

/// What is asked after each row; the rows themselves ask for other sites.
pub(super) const GOOD: &str =
    "GET /api/dcim/sites/3/ HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-reader\r\n\r\n";

/// A body that NetBox takes, of 19 bytes.
pub(super) const BODY: &str = "{\"description\":\"x\"}";

/// What a smuggler would have carried out. It has a key: if it is taken for a request, NetBox sees it.
pub(super) const SMUGGLED: &str =
    "DELETE /api/dcim/sites/9/ HTTP/1.1\r\nHost: nb.example\r\nAuthorization: Token key-of-writer\r\n\r\n";

/// A request with a key that may write.
pub(super) fn request(line: &str, fields: &str, body: &str) -> String {
    format!("{line}\r\nHost: nb.example\r\nAuthorization: Token key-of-writer\r\n{fields}\r\n{body}")
}

/// A write with these fields besides.
pub(super) fn patch(fields: &str, body: &str) -> String {
    request("PATCH /api/dcim/sites/1/ HTTP/1.1", &format!("Content-Type: application/json\r\n{fields}"), body)
}

/// A read that memory does not hold yet: `mark` is no other row's.
pub(super) fn get(mark: &str, fields: &str, body: &str) -> String {
    request(&format!("GET /api/dcim/sites/2/?row={mark} HTTP/1.1"), fields, body)
}

/// A body in one chunk.
pub(super) fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// What NetBox sees of [`patch`].
pub(super) fn patched(body: &str) -> Seen {
    seen("PATCH", "/api/dcim/sites/1/", body)
}

/// What NetBox sees of [`get`].
pub(super) fn got(mark: &str, body: &str) -> Seen {
    seen("GET", &format!("/api/dcim/sites/2/?row={mark}"), body)
}

pub(super) fn seen(method: &str, target: &str, body: &str) -> Seen {
    Seen { method: method.to_owned(), target: target.to_owned(), body: body.to_owned() }
}
