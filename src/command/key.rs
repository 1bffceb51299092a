//! `nbproxy key`: client keys, which nbproxy itself knows by their hash only.

use std::io;

use uuid::Uuid;

use crate::proxy::auth::KeyHash;

/// Makes a key and prints it, once, with the settings that let its bearer in.
pub(super) fn new(name: &str) {
    // Two random UUIDs: 244 bits from the system's generator.
    let key = format!("nbp_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    eprintln!("The key, to be given to the client as its NetBox token; it is not shown again:");
    println!("{key}");
    eprintln!("\nThe settings that let it in:");
    println!("[[clients]]\nname = {name:?}\nkey_hash = \"{}\"\naccess = \"read\"", KeyHash::of(key.as_bytes()));
}

/// Prints the hash of the key on standard input.
pub(super) fn hash() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let key = line.trim();
    if key.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no key was given on standard input"));
    }
    println!("{}", KeyHash::of(key.as_bytes()));
    Ok(())
}
