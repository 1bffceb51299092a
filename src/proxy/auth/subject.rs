//! The subject of a client's certificate (X.501): its attributes, in order.

/// A certificate's subject, compared attribute by attribute: a text that looks like another subject is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(Vec<(String, String)>);

impl Subject {
    /// A subject of these attributes, by short name (`CN`) and value.
    pub fn of(attributes: Vec<(String, String)>) -> Self {
        Self(attributes)
    }

    /// Reads a subject as `openssl x509 -noout -subject` prints it: `CN=ansible, O=Example` or `CN = ansible, O = Example`;
    /// a backslash lets a comma be part of a value.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![String::new()];
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match (letter, parts.last_mut()) {
                ('\\', Some(part)) => part.push(letters.next()?),
                (',', _) => parts.push(String::new()),
                (letter, Some(part)) => part.push(letter),
                (_, None) => return None,
            }
        }
        let attribute = |part: &String| {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim(), value.trim());
            (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        };
        parts.iter().map(attribute).collect::<Option<Vec<_>>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_told_apart_from_text_that_looks_like_them() {
        let plain = Subject::parse("CN=ansible, O=Example").unwrap();
        assert_eq!(Subject::parse("CN = ansible,O = Example"), Some(plain.clone()));
        let trap = Subject::of(vec![("CN".to_owned(), "ansible, O=Example".to_owned())]);
        assert_ne!(trap, plain);
        assert_eq!(Subject::parse("CN=ansible\\, O=Example"), Some(trap));
        for bad in ["", "ansible", "CN=", "=x", "CN=a,,O=b", "CN=a\\"] {
            assert_eq!(Subject::parse(bad), None, "{bad}");
        }
    }
}
