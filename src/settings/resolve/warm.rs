//! `[[warm]]`: what is fetched before anybody asks.

use super::positive;
use crate::cache::policy::{self, Policy};
use crate::netbox::branch::{Branch, SchemaId};
use crate::proxy::access;
use crate::proxy::warm::{Config, Walk};
use crate::settings::reader::Reader;

/// What nobody could read, or nobody would find in memory, is a fault.
pub(super) fn read(reader: &mut Reader, access: &access::Config, policy: &policy::Config) -> Config {
    let policy = Policy::new(policy.clone());
    let pause = positive(reader, "cache.warm_pause");
    let walks = reader.tables("warm", |table| {
        let branch = table.parsed("branch", |text| {
            SchemaId::parse(text.as_bytes()).map(Branch::Schema).map_err(|error| error.to_string())
        });
        if !table.has("path") {
            table.fault("path", "it must say what is kept warm, for example path = \"/api/dcim/devices/?limit=1000\"");
        }
        table.parsed("path", |text| {
            let walk = Walk::parse(text, branch.unwrap_or(Branch::Main))?;
            let target = walk.target();
            let lifetime = policy.remembers(&target.path, &target.query);
            let lifetime = lifetime.map_err(|why| format!("nbproxy does not remember this ({})", why.as_str()))?;
            if lifetime.ttl <= pause {
                return Err(format!("it expires after {:?}, and cache.warm_pause is {pause:?}", lifetime.ttl));
            }
            if access.opens(target) {
                Ok(walk)
            } else {
                Err("no client may read this with the shared token".to_owned())
            }
        })
    });
    Config { walks, pause }
}
