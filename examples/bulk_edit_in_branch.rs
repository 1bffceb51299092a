//! Sets the description of all of a site's devices, in a branch, with one request.
//!
//! `cargo run --no-default-features --example bulk_edit_in_branch -- URL TOKEN BRANCH_NAME SITE TEXT`

use nbproxy::netbox::api::Api;
use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, branch, site, text] = arguments.as_slice() else {
        return Err(Error::Argument("usage: bulk_edit_in_branch URL TOKEN BRANCH_NAME SITE TEXT"));
    };
    let netbox = Api::builder(url).token(token).build()?;
    let branches = netbox.plugin("branching").endpoint("branches");
    let found = branches.get_by(Filters::new().with("name", branch)).await?;
    // What is done through this clone is done in the branch; `netbox` itself goes on seeing main.
    let draft = netbox.branch(&found.ok_or(Error::Argument("there is no such branch"))?)?;
    let devices = draft.dcim().endpoint("devices").filter(Filters::new().with("site", site));
    let changed = devices.update(&[("description", text.as_str().into())]).await?;
    println!("{} devices changed in {branch}", changed.len());
    Ok(())
}
