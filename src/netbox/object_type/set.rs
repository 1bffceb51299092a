//! A set of object types: a bit for each, so that it costs nothing to copy.

use std::fmt;

use super::ObjectType;

/// Object types, in no particular order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TypeSet([u64; WORDS]);

const WORDS: usize = ObjectType::COUNT.div_ceil(64);

impl TypeSet {
    /// No types.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Adds a type.
    pub fn insert(&mut self, object_type: ObjectType) {
        let (word, bit) = place(object_type);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether the type is among them.
    pub fn contains(&self, object_type: ObjectType) -> bool {
        let (word, bit) = place(object_type);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Adds all types of another set.
    pub fn extend(&mut self, other: Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The types.
    pub fn iter(self) -> impl Iterator<Item = ObjectType> {
        ObjectType::all().filter(move |object_type| self.contains(*object_type))
    }
}

impl FromIterator<ObjectType> for TypeSet {
    fn from_iter<I: IntoIterator<Item = ObjectType>>(types: I) -> Self {
        let mut set = Self::EMPTY;
        types.into_iter().for_each(|object_type| set.insert(object_type));
        set
    }
}

impl fmt::Debug for TypeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn place(object_type: ObjectType) -> (usize, u64) {
    (object_type.index() / 64, 1 << (object_type.index() % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_put_in() {
        let all: TypeSet = ObjectType::all().collect();
        assert_eq!(all.iter().count(), ObjectType::COUNT);
        for object_type in ObjectType::all() {
            let mut one = TypeSet::from_iter([object_type]);
            assert_eq!(one.iter().collect::<Vec<_>>(), [object_type]);
            assert!(!one.is_empty());
            one.extend(all);
            assert_eq!(one, all);
        }
        assert!(TypeSet::EMPTY.is_empty());
    }
}
