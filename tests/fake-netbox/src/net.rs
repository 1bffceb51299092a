//! IP networks: parsing, order, containment and free space.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address with the length of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Net {
    pub(crate) v6: bool,
    pub(crate) address: u128,
    pub(crate) length: u8,
}

impl Net {
    pub(crate) fn parse(text: &str) -> Option<Net> {
        let (host, length) = match text.split_once('/') {
            Some((host, length)) => (host, Some(length.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let (v6, address, bits) = match host.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => (false, u128::from(u32::from(v4)), 32),
            IpAddr::V6(v6) => (true, u128::from(v6), 128),
        };
        let length = length.unwrap_or(bits);
        (length <= bits).then_some(Net { v6, address, length })
    }

    pub(crate) fn bits(self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    pub(crate) fn family(self) -> u64 {
        if self.v6 { 6 } else { 4 }
    }

    /// The first address of the network.
    pub(crate) fn first(self) -> u128 {
        self.address & !self.host_mask()
    }

    /// The last address of the network.
    pub(crate) fn last(self) -> u128 {
        self.address | self.host_mask()
    }

    fn host_mask(self) -> u128 {
        let host = u32::from(self.bits() - self.length);
        1u128.checked_shl(host).map_or(u128::MAX, |size| size - 1)
    }

    /// Whether the other network or address lies inside this one or equals it.
    pub(crate) fn contains(self, other: Net) -> bool {
        self.v6 == other.v6
            && self.length <= other.length
            && self.first() <= other.first()
            && other.last() <= self.last()
    }

    /// The address alone, whatever its mask, inside this network.
    pub(crate) fn holds(self, other: Net) -> bool {
        self.v6 == other.v6 && self.first() <= other.address && other.address <= self.last()
    }

    pub(crate) fn with_address(self, address: u128) -> Net {
        Net { address, ..self }
    }

    /// The addresses a host may get: without network and broadcast address in IPv4.
    pub(crate) fn usable(self, pool: bool) -> (u128, u128) {
        let (first, last) = (self.first(), self.last());
        if self.v6 || pool || self.length >= 31 { (first, last) } else { (first + 1, last - 1) }
    }

    /// The parts of this network that none of the given ones cover, as networks.
    pub(crate) fn without(self, taken: &[Net]) -> Vec<Net> {
        if taken.iter().any(|net| net.contains(self)) {
            return Vec::new();
        }
        if !taken.iter().any(|net| self.contains(*net)) || self.length == self.bits() {
            return vec![self];
        }
        let low = Net { address: self.first(), length: self.length + 1, ..self };
        let high = low.with_address(low.last() + 1);
        let mut free = low.without(taken);
        free.extend(high.without(taken));
        free
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.v6 {
            write!(f, "{}/{}", Ipv6Addr::from(self.address), self.length)
        } else {
            let short = u32::try_from(self.address).unwrap_or(u32::MAX);
            write!(f, "{}/{}", Ipv4Addr::from(short), self.length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Net;

    fn net(text: &str) -> Net {
        Net::parse(text).expect("a network")
    }

    #[test]
    fn free_space_is_cut_into_networks() {
        let free = net("10.0.0.0/24").without(&[net("10.0.0.64/26")]);
        let text: Vec<_> = free.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["10.0.0.0/26", "10.0.0.128/25"]);
        assert!(net("10.0.0.0/8").contains(net("10.1.0.0/16")));
        assert_eq!(net("10.0.0.0/30").usable(false).0 & 3, 1);
        assert_eq!(net("2001:db8::1/64").family(), 6);
    }
}
