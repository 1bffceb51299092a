//! Reading JSON just deeply enough to know which string is the value of which key. Nothing is parsed or validated:
//! what is not JSON passes through unchanged.

use bytes::BytesMut;
use memchr::memchr2;

use super::{Content, Move};

/// What is nested deeper is some user's own JSON, and passes as it is.
const DEEPEST: usize = 64;

/// Longer keys are none of ours.
const LONGEST_KEY: usize = 20;

/// Keys below which everything is some user's own data.
const OPAQUE: [&[u8]; 13] = [
    b"config_context",
    b"local_context_data",
    b"data",
    b"prechange_data",
    b"postchange_data",
    b"parameters",
    b"constraints",
    b"conditions",
    b"action_data",
    b"default",
    b"original",
    b"modified",
    b"current",
];

#[derive(Debug)]
pub(super) struct Scanner {
    directory: bool,
    state: State,
    stack: Vec<Frame>,
    /// How many more are open beyond the deepest that is looked into.
    beyond: usize,
    /// Whether the next string names a member of the innermost object.
    at_key: bool,
    /// What the key just read says of the value to come.
    coming: Kind,
    key: Vec<u8>,
    held: Vec<u8>,
    /// The string's last byte was a backslash that escapes the next.
    escaped: bool,
    /// Whether a config context has been seen.
    has_context: bool,
    /// Whether there may be objects of NetBox's that have not been found.
    unclear: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between strings.
    Between,
    /// In a key.
    Key,
    /// In a string that stays as it is.
    Text,
    /// At the beginning of a value that may have to be moved; `held` is its beginning.
    Candidate(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Link,
    DisplayLink,
    CustomFields,
    Opaque,
    Other,
}

/// An object or a list that is being read.
#[derive(Debug, Clone, Copy)]
struct Frame {
    object: bool,
    keeper: Keeper,
    /// How many members have been named.
    members: u32,
    /// Whether the first of them was `id`.
    begins_with_id: bool,
    /// Whether `url` came next, as NetBox writes the objects that it nests.
    proven: bool,
}

/// Whose words these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// NetBox's.
    NetBox,
    /// The object that holds the custom fields: its members are named by users.
    Fields,
    /// The value of a custom field.
    Field,
    /// A user's own JSON.
    User,
}

impl Scanner {
    pub(super) fn new(content: Content) -> Self {
        Self {
            directory: content == Content::Directory,
            state: State::Between,
            stack: Vec::new(),
            beyond: 0,
            at_key: false,
            coming: Kind::Other,
            key: Vec::with_capacity(LONGEST_KEY + 1),
            held: Vec::new(),
            escaped: false,
            has_context: false,
            unclear: false,
        }
    }

    /// Whether there was a config context in what has been read; `None` when there may have been objects of NetBox's that
    /// were not found: a `url` that leads elsewhere, JSON that is nested too deeply, or the value of a custom field that is
    /// an object and does not begin as NetBox's do.
    pub(super) fn has_understood(&self) -> Option<bool> {
        (!self.unclear).then_some(self.has_context)
    }

    pub(super) fn feed(&mut self, part: &[u8], api: &[Move], ui: &[Move], out: &mut BytesMut, links: &mut Vec<u32>) {
        out.reserve(part.len());
        let mut rest = part;
        while !rest.is_empty() {
            let used = match self.state {
                State::Between => self.between(rest, out),
                State::Key => self.key(rest, out),
                State::Text => self.text(rest, out),
                State::Candidate(kind) => {
                    let moves = if kind == Kind::Link { api } else { ui };
                    let found = if kind == Kind::Link { Some(&mut *links) } else { None };
                    self.candidate(rest, moves, out, found)
                }
            };
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&self.held);
        self.held.clear();
    }

    fn between(&mut self, rest: &[u8], out: &mut BytesMut) -> usize {
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.open_string();
                    return copy(rest, at + 1, out);
                }
                b'{' | b'[' => self.open(*byte == b'{'),
                b'}' | b']' => self.close(),
                b',' => {
                    self.at_key = self.beyond == 0 && self.stack.last().is_some_and(|frame| frame.object);
                    self.coming = Kind::Other;
                }
                b':' => self.at_key = false,
                _ => {}
            }
        }
        copy(rest, rest.len(), out)
    }

    fn open_string(&mut self) {
        self.escaped = false;
        let value_may_move = matches!(self.coming, Kind::Link | Kind::DisplayLink);
        self.state = if self.at_key {
            self.key.clear();
            State::Key
        } else if value_may_move {
            State::Candidate(self.coming)
        } else {
            State::Text
        };
    }

    fn open(&mut self, object: bool) {
        let coming = std::mem::replace(&mut self.coming, Kind::Other);
        if self.stack.len() >= DEEPEST {
            self.unclear |= self.stack.last().is_some_and(|frame| frame.keeper != Keeper::User);
            self.beyond += 1;
            self.at_key = false;
            return;
        }
        let above = self.stack.last().map_or(Keeper::NetBox, |frame| frame.keeper);
        let keeper = match (above, coming) {
            (Keeper::User, _) | (_, Kind::Opaque) => Keeper::User,
            (Keeper::NetBox, Kind::CustomFields) if object => Keeper::Fields,
            (Keeper::NetBox, _) => Keeper::NetBox,
            // A field's value: an object of NetBox's, a list of them, or a user's JSON. Within an object that has shown
            // itself to be NetBox's, what it nests is, too.
            (Keeper::Fields, _) => Keeper::Field,
            (Keeper::Field, _) if self.stack.last().is_some_and(|top| top.proven || (object && !top.object)) => {
                Keeper::Field
            }
            (Keeper::Field, _) => Keeper::User,
        };
        self.stack.push(Frame { object, keeper, members: 0, begins_with_id: false, proven: false });
        self.at_key = object;
    }

    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        if let Some(frame) = self.stack.pop() {
            self.unclear |= frame.object && frame.keeper == Keeper::Field && !frame.proven;
        }
        self.at_key = false;
        self.coming = Kind::Other;
    }

    fn key(&mut self, rest: &[u8], out: &mut BytesMut) -> usize {
        let (length, ended) = self.string_part(rest);
        let text = rest.get(..length).unwrap_or_default();
        let room = (LONGEST_KEY + 2).saturating_sub(self.key.len());
        self.key.extend_from_slice(text.get(..text.len().min(room)).unwrap_or_default());
        if ended {
            self.key.pop();
            self.coming = self.kind();
            self.at_key = false;
            self.state = State::Between;
        }
        copy(rest, length, out)
    }

    fn kind(&mut self) -> Kind {
        let depth = self.stack.len();
        let Some(frame) = self.stack.last_mut() else { return Kind::Other };
        let member = frame.members;
        frame.members = member.saturating_add(1);
        frame.begins_with_id |= member == 0 && self.key == b"id";
        frame.proven |= member == 1 && frame.begins_with_id && self.key == b"url";
        // The names of custom fields are users' words, whatever they sound like.
        if self.key.len() > LONGEST_KEY || frame.keeper == Keeper::Fields {
            return Kind::Other;
        }
        // NetBox writes an object it nests as {"id": …, "url": …; whatever else a field holds is the user's.
        let netboxs =
            frame.keeper == Keeper::NetBox || (frame.keeper == Keeper::Field && frame.begins_with_id && member == 1);
        match self.key.as_slice() {
            _ if self.directory && depth == 1 => Kind::Link,
            b"url" if netboxs => Kind::Link,
            b"next" | b"previous" if frame.keeper == Keeper::NetBox => Kind::Link,
            b"display_url" if frame.keeper == Keeper::NetBox => Kind::DisplayLink,
            b"custom_fields" => Kind::CustomFields,
            key if OPAQUE.contains(&key) => {
                self.has_context |= key == b"config_context";
                Kind::Opaque
            }
            _ => Kind::Other,
        }
    }

    fn text(&mut self, rest: &[u8], out: &mut BytesMut) -> usize {
        let (length, ended) = self.string_part(rest);
        if ended {
            self.coming = Kind::Other;
            self.state = State::Between;
        }
        copy(rest, length, out)
    }

    /// How much of `rest` belongs to the string, its closing quote included, and whether that was found.
    fn string_part(&mut self, rest: &[u8]) -> (usize, bool) {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            at = 1;
        }
        while let Some(found) = rest.get(at..).and_then(|tail| memchr2(b'"', b'\\', tail)) {
            let here = at + found;
            if rest.get(here) == Some(&b'"') {
                return (here + 1, true);
            }
            if here + 1 == rest.len() {
                self.escaped = true;
                return (rest.len(), false);
            }
            at = here + 2;
        }
        (rest.len(), false)
    }

    /// Holds the value's beginning back until it is certain whether it is one that moves.
    fn candidate(&mut self, rest: &[u8], moves: &[Move], out: &mut BytesMut, links: Option<&mut Vec<u32>>) -> usize {
        for (at, byte) in rest.iter().enumerate() {
            self.held.push(*byte);
            if let Some(found) = moves.iter().find(|candidate| candidate.from == self.held) {
                if let Some(links) = links
                    && let Ok(here) = u32::try_from(out.len())
                {
                    links.push(here);
                }
                out.extend_from_slice(&found.to);
                self.held.clear();
                self.state = State::Text;
                return at + 1;
            }
            if !moves.iter().any(|candidate| candidate.from.starts_with(&self.held)) {
                self.unclear |= links.is_some();
                // The byte that did not fit may end or escape the string: it is read again as text.
                self.held.pop();
                self.finish(out);
                self.state = State::Text;
                return at;
            }
        }
        rest.len()
    }
}

fn copy(rest: &[u8], length: usize, out: &mut BytesMut) -> usize {
    out.extend_from_slice(rest.get(..length).unwrap_or_default());
    length
}
