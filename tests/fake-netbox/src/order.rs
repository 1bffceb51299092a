//! The order of a list: names are compared as people read them, networks as numbers.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::Value;

use crate::net::Net;
use crate::render::Render;
use crate::state::Row;
use crate::types::{self, Kind, Type};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    First,
    Number(i64),
    Net(Net),
    Text(Vec<Piece>),
    /// An object's place among those of its type.
    Object(Vec<Key>),
    Null,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number(u64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Directed {
    Up(Key),
    Down(Reverse<Key>),
}

/// Sorts by the fields a client names, or by the type's own order. Unknown ones are ignored.
pub(crate) fn sort(render: &Render<'_>, ty: &Type, rows: &mut [Arc<Row>], ordering: Option<&str>) {
    let known = |name: &&str| {
        let name = name.trim_start_matches('-');
        name == "id" || ty.field(name).is_some()
    };
    let wanted: Vec<&str> = ordering.into_iter().flat_map(|names| names.split(',')).filter(known).collect();
    let fields: &[&str] = if wanted.is_empty() { ty.order } else { &wanted };
    rows.sort_by_cached_key(|row| {
        let keys: Vec<_> = fields
            .iter()
            .map(|name| match name.strip_prefix('-') {
                Some(name) => Directed::Down(Reverse(key(render, ty, row, name))),
                None => Directed::Up(key(render, ty, row, name)),
            })
            .collect();
        (keys, row.id)
    });
}

fn key(render: &Render<'_>, ty: &Type, row: &Row, name: &str) -> Key {
    if name == "id" {
        return Key::Number(i64::try_from(row.id).unwrap_or(i64::MAX));
    }
    let Some(field) = ty.field(name) else {
        return Key::Null;
    };
    let value = row.get(name);
    if let Kind::Ref(target, ..) = field.kind {
        let other = value.as_u64().and_then(|id| render.view.row(target, id));
        return match (types::at(target), other) {
            (Some(target), Some(other)) => {
                Key::Object(target.order.iter().map(|name| key(render, target, other, name)).collect())
            }
            (None, _) | (_, None) if name == "vrf" => Key::First,
            (None, _) | (_, None) => Key::Null,
        };
    }
    if let (true, Some(net)) = (matches!(name, "prefix" | "address"), net(value)) {
        return Key::Net(net);
    }
    if let Some(number) = value.as_f64() {
        // Thousandths are finer than anything NetBox orders by.
        #[allow(clippy::cast_possible_truncation)]
        return Key::Number((number * 1000.0) as i64);
    }
    match value.as_str() {
        Some(text) => Key::Text(natural(text)),
        None => Key::Null,
    }
}

fn net(value: &Value) -> Option<Net> {
    value.as_str().and_then(Net::parse)
}

fn natural(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(match piece.parse() {
            Ok(number) if digits => Piece::Number(number),
            Ok(_) | Err(_) => Piece::Text(piece.to_lowercase()),
        });
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        assert!(natural("eth2") < natural("eth10"));
        assert!(natural("dev-00009") < natural("dev-00010"));
        assert!(natural("A") < natural("b"));
    }
}
