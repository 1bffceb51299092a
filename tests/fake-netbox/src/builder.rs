//! How a server is set up before it starts.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::control::Controls;
use crate::fake::FakeNetbox;
use crate::seed;
use crate::server::Running;
use crate::state::{Config, Shared, State};

/// A server to be.
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
    devices: u64,
    sites: u64,
    listen: String,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            config: Config {
                base_path: String::new(),
                version: "4.6.8".to_owned(),
                plugins: vec![("netbox_branching".to_owned(), "1.1.3".to_owned())],
                page_default: 50,
                max_page_size: 1000,
                login_required: true,
                public_origin: None,
                schema_age: None,
                job_delay: None,
            },
            devices: 120,
            sites: 10,
            listen: "127.0.0.1:0".to_owned(),
        }
    }
}

impl Builder {
    /// Where NetBox is mounted (`BASE_PATH`), such as `/nbx`.
    #[must_use]
    pub fn base_path(mut self, path: &str) -> Builder {
        let path = path.trim_matches('/');
        self.config.base_path = if path.is_empty() { String::new() } else { format!("/{path}") };
        self
    }

    /// NetBox's version.
    #[must_use]
    pub fn version(mut self, version: &str) -> Builder {
        self.config.version = version.to_owned();
        self
    }

    /// Installed plugins with their versions; by default the branching plugin.
    #[must_use]
    pub fn plugins(mut self, plugins: &[(&str, &str)]) -> Builder {
        self.config.plugins = owned(plugins);
        self
    }

    /// How many devices there are, each with two interfaces and an address.
    #[must_use]
    pub fn devices(mut self, devices: u64) -> Builder {
        self.devices = devices;
        self
    }

    /// How many sites there are.
    #[must_use]
    pub fn sites(mut self, sites: u64) -> Builder {
        self.sites = sites;
        self
    }

    /// `PAGINATE_COUNT`: the page size where the client names none.
    #[must_use]
    pub fn page_default(mut self, size: usize) -> Builder {
        self.config.page_default = size;
        self
    }

    /// `MAX_PAGE_SIZE`; 0 for none.
    #[must_use]
    pub fn max_page_size(mut self, size: usize) -> Builder {
        self.config.max_page_size = size;
        self
    }

    /// Address to listen on; by default any free port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Builder {
        self.listen = address.to_owned();
        self
    }

    /// `LOGIN_REQUIRED`: unset, anybody may read everything.
    #[must_use]
    pub fn login_required(mut self, required: bool) -> Builder {
        self.config.login_required = required;
        self
    }

    /// Origin to put into absolute URLs instead of the request's host.
    #[must_use]
    pub fn public_origin(mut self, origin: Option<String>) -> Builder {
        self.config.public_origin = origin;
        self
    }

    /// Finishes jobs by themselves after that time; unset, they wait for `finish_jobs`.
    #[must_use]
    pub fn job_delay(mut self, delay: Option<Duration>) -> Builder {
        self.config.job_delay = delay;
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// If the address cannot be had.
    pub async fn start(self) -> FakeNetbox {
        match self.try_start().await {
            Ok(fake) => fake,
            Err(error) => panic!("FakeNetbox cannot listen: {error}"),
        }
    }

    /// Starts the server, or says why it cannot listen.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub async fn try_start(self) -> io::Result<FakeNetbox> {
        let shared = Shared::new(State {
            config: self.config,
            data: seed::data(self.devices, self.sites),
            controls: Controls::default(),
            extras: BTreeMap::new(),
            log: Vec::new(),
            connections: 0,
            in_flight: 0,
            in_flight_peak: 0,
            dropped: 0,
        });
        let running = Running::start(&self.listen, Arc::clone(&shared)).await?;
        Ok(FakeNetbox { shared, address: running.address(), running: Mutex::new(Some(running)) })
    }
}

/// Pairs of names and versions, owned.
pub(crate) fn owned(plugins: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
    plugins.iter().map(pair).collect()
}
