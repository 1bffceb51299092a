//! Takes the next free address of a prefix.
//!
//! `cargo run --no-default-features --example allocate_ip -- URL TOKEN 10.0.0.0/24 db01.example.com`

use nbproxy::netbox::api::Api;
use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, prefix, name] = arguments.as_slice() else {
        return Err(Error::Argument("usage: allocate_ip URL TOKEN PREFIX DNS_NAME"));
    };
    let netbox = Api::builder(url).token(token).build()?;
    let found = netbox.ipam().endpoint("prefixes").get_by(Filters::new().with("prefix", prefix)).await?;
    let prefix = found.ok_or(Error::Argument("there is no such prefix"))?;
    match prefix.detail("available-ips")?.create(json!({"dns_name": name})).await {
        Ok(address) => println!("{}", address.text("address").unwrap_or("?")),
        Err(Error::Allocation(refusal)) => println!("nothing left: {}", refusal.message),
        Err(error) => return Err(error),
    }
    Ok(())
}
