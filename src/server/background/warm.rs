//! Keeps warm what the settings name: a round whenever there is something to do, with pauses in between.

use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;
use crate::proxy::warm::{Config, Warming};

/// Walks what is to be warm: at first once it is known whether changes are followed (`followed`: whether they should be), then
/// whenever something of it has been outdated, expires soon or is gone.
pub(in crate::server) async fn warm(proxy: Proxy, config: Config, followed: bool, stop: CancellationToken) {
    let mut warming = Warming::new(config);
    if warming.is_empty() {
        return;
    }
    let keep_warm = async {
        if followed {
            proxy.feed_begun().await;
        }
        loop {
            let pause = proxy.warm_round(&mut warming).await;
            tokio::time::sleep(pause).await;
            proxy.warm_wanted(&warming).await;
        }
    };
    tokio::select! {
        () = keep_warm => {}
        () = stop.cancelled() => {}
    }
}
