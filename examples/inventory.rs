//! Lists the devices of a site, with their rack and primary address.
//!
//! `cargo run --no-default-features --example inventory -- https://netbox.example.com TOKEN ams1`

use nbproxy::netbox::api::Api;
use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, site] = arguments.as_slice() else {
        return Err(Error::Argument("usage: inventory URL TOKEN SITE"));
    };
    // Four pages are fetched at once; rows arrive in NetBox's order all the same.
    let netbox = Api::builder(url).token(token).concurrency(4).strict_filters(true).build()?;
    let mut devices = netbox.dcim().endpoint("devices").filter(Filters::new().with("site", site));
    println!("{} devices", devices.len().await?);
    while let Some(device) = devices.next().await {
        let device = device?;
        let rack = device.nested("rack").map_or_else(|| "-".to_owned(), |rack| rack.to_string());
        let address = device.nested("primary_ip");
        let address = address.as_ref().and_then(|address| address.text("address")).unwrap_or("-");
        println!("{device}\t{}\t{rack}\t{address}", device.choice("status").unwrap_or("-"));
    }
    Ok(())
}
