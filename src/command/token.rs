//! `nbproxy token create`: NetBox makes a token, and it goes into a file that only its owner can read.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Failure;
use crate::cli::CreateToken;
use crate::netbox::api::Api;

pub(super) async fn create(how: &CreateToken, api: &Api) -> Result<(), Failure> {
    // Opened first: a token that cannot be put anywhere had better not be made.
    let file = how.output.as_deref().map(private).transpose()?;
    let token = match password(&how.username) {
        Ok(password) => make(api, &how.username, &password).await,
        Err(error) => Err(error.into()),
    };
    match (file, token) {
        (Some(mut file), Ok(token)) => writeln!(file, "{token}")?,
        (None, Ok(token)) => println!("{token}"),
        (_, Err(error)) => {
            if let Some(path) = &how.output {
                std::fs::remove_file(path)?;
            }
            return Err(error);
        }
    }
    if let Some(path) = &how.output {
        println!("the token is in {}", path.display());
    }
    Ok(())
}

async fn make(api: &Api, username: &str, password: &str) -> Result<String, Failure> {
    api.create_token(username, password).await?;
    Ok(api.token_text()?)
}

fn private(path: &Path) -> Result<std::fs::File, Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())).into())
}

fn password(username: &str) -> io::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("NetBox password of {username}: "));
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
