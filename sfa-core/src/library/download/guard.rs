//! What a server fetches on behalf of its users: from the public internet, and not from the machines beside it, whatever
//! an address looks like and whoever a name or a redirection leads to.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{ClientBuilder, Url, redirect};

use crate::{Error, ErrorKind};

/// Longer addresses are refused.
const MOST_CHARACTERS: usize = 2000;

/// Addresses that lead to no machine of the public internet (RFC 6890 and what came after it).
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// All of the public internet. What is mapped, translated, local or for many is elsewhere.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// What is within it and leads elsewhere: protocols and tunnels, examples, addresses with one of the older kind inside.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

type Permit = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;
type LookUp = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Decides which machines are asked for something.
#[derive(Clone)]
pub(crate) struct Guard {
    permit: Permit,
    look_up: LookUp,
}

impl Guard {
    /// Machines of the public internet.
    pub(crate) fn public() -> Self {
        Self::permitting(is_public)
    }

    /// Any machine that this one reaches.
    pub(crate) fn everywhere() -> Self {
        Self::permitting(|_| true)
    }

    pub(super) fn permitting(permit: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        let look_up = |name: String| {
            let look_up = async move {
                let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            };
            look_up.boxed()
        };
        Self { permit: Arc::new(permit), look_up: Arc::new(look_up) }
    }

    /// Reads an address as far as it can be judged without asking anybody.
    ///
    /// # Errors
    /// `InvalidOption` for what is none of a public file.
    pub(crate) fn read(&self, text: &str) -> Result<Url, Error> {
        if text.len() > MOST_CHARACTERS {
            return Err(invalid(format!("an address has up to {MOST_CHARACTERS} characters")));
        }
        let url = Url::parse(text.trim()).map_err(|error| invalid(format!("this is no address: {error}")))?;
        self.check(&url)?;
        Ok(url)
    }

    /// Refuses an address as far as it can be judged without asking anybody.
    ///
    /// # Errors
    /// `InvalidOption`.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("an address begins with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("an address must not hold a name or a password"));
        }
        let host = url.host_str().unwrap_or_default();
        // The parser has read numbers of every spelling, as what connects will: in 4 decimals, or in brackets.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !(self.permit)(address) => Err(private(host)),
            _ => Ok(()),
        }
    }

    /// Has a client connect to machines that were judged, and to no others: names are looked up here, once, and what was
    /// found is judged before it is used. Redirections are left to the caller, and no proxy is asked, which would look
    /// names up itself.
    pub(crate) fn set_up(&self, builder: ClientBuilder) -> ClientBuilder {
        builder.no_proxy().redirect(redirect::Policy::none()).dns_resolver(Arc::new(self.clone()))
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Error> {
        let found = (self.look_up)(name.to_owned()).await.map_err(|error| {
            Error::new(ErrorKind::Io, format!("{name} was not found: {error}")).caused_by(error)
        })?;
        // One that leads both here and there is up to something.
        if found.is_empty() || !found.iter().all(|address| (self.permit)(*address)) {
            return Err(private(name));
        }
        Ok(found)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str()).await?;
            // The port is the address's own.
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

/// Whether an address leads to a machine of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.iter().any(|&(network, bits)| Ipv4Net::new_assert(network, bits).contains(&address))
        }
        IpAddr::V6(address) => {
            let lies_in =
                |&(network, bits): &(Ipv6Addr, u8)| Ipv6Net::new_assert(network, bits).contains(&address);
            lies_in(&GLOBAL_V6) && !SPECIAL_V6.iter().any(lies_in)
        }
    }
}

/// Where a name leads is not told: that would be a map of the network.
fn private(host: &str) -> Error {
    invalid(format!(
        "{host} is not on the public internet, and this server fetches nothing from anywhere else"
    ))
}

/// What will not be otherwise another time.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, message)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A guard of the public internet with a phone book of its own.
    fn finding(look_up: impl Fn(&str) -> Vec<&'static str> + Send + Sync + 'static) -> Guard {
        let look_up = move |name: String| {
            let found = look_up(&name).into_iter().map(|text| text.parse().unwrap()).collect();
            async { Ok(found) }.boxed()
        };
        Guard { look_up: Arc::new(look_up), ..Guard::public() }
    }

    #[test]
    fn machines_beside_this_one_are_refused_however_they_are_spelled() {
        let hosts = [
            "127.0.0.1",
            "127.1",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "①②⑦.0.0.1",
            "10.0.0.1",
            "10.255.255.255",
            "012.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.168.257",
            "3232235777",
            "169.254.169.254",
            "0xa9fea9fe",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::8.8.8.8]",
            "[64:ff9b:1::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[3fff::1]",
            "[100::1]",
        ];
        for host in hosts {
            for address in [format!("http://{host}/a.mp3"), format!("https://{host}:8443/a.mp3")] {
                let error = Guard::public().read(&address).unwrap_err();
                assert!(error.message().contains("not on the public internet"), "{address}: {error}");
            }
            Guard::everywhere().read(&format!("http://{host}/")).unwrap();
        }
    }

    #[test]
    fn machines_of_the_public_internet_are_not() {
        for host in [
            "8.8.8.8",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2a00:1450::1]",
            "[2001:4860:4860::8888]",
            "example.org",
            "xn--bcher-kva.example",
        ] {
            Guard::public().read(&format!("https://{host}/a.mp3")).unwrap();
        }
    }

    #[test]
    fn only_plain_addresses_of_the_web_are_read() {
        for (address, expected) in [
            ("file:///etc/passwd", "https://"),
            ("gopher://example.org/", "https://"),
            ("ftp://example.org/a.mp3", "https://"),
            ("javascript:alert(1)", "https://"),
            ("data:audio/mpeg;base64,AAAA", "https://"),
            ("http://user@example.org/", "password"),
            ("http://user:secret@example.org/", "password"),
            ("http://:secret@example.org/", "password"),
            ("http://example.org@127.0.0.1/", "password"),
            ("example.org/a.mp3", "no address"),
            ("", "no address"),
            ("http://", "no address"),
            ("http://256.0.0.1/", "no address"),
            ("http://exa mple.org/", "no address"),
        ] {
            let message = Guard::public().read(address).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains("secret"), "{address}: {message}");
        }
        let long = format!("http://example.org/{}", "x".repeat(2000));
        assert!(Guard::public().read(&long).unwrap_err().message().contains("2000"));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_every_address_that_it_has() {
        let guard = finding(|name| match name {
            "public.example" => vec!["8.8.8.8", "2606:4700::1111"],
            "private.example" => vec!["192.168.0.1"],
            "mapped.example" => vec!["::ffff:10.0.0.1"],
            "mixed.example" => vec!["8.8.8.8", "127.0.0.1"],
            _ => Vec::new(),
        });
        assert_eq!(guard.addresses("public.example").await.unwrap().len(), 2);
        for name in ["private.example", "mapped.example", "mixed.example", "nobody.example"] {
            let error = guard.addresses(name).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOption, "{name}");
            assert!(!error.message().contains("192.168"), "where it leads is not told");
        }
    }

    #[tokio::test]
    async fn what_connects_gets_the_very_addresses_that_were_judged() {
        // A name that leads elsewhere when it is looked up again.
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let guard = finding(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
            0 => vec!["8.8.8.8"],
            _ => vec!["127.0.0.1"],
        });
        let found: Vec<_> = guard.resolve("rebound.example".parse().unwrap()).await.unwrap().collect();
        assert_eq!(found, ["8.8.8.8:0".parse().unwrap()]);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "it is looked up once");
        assert!(guard.resolve("rebound.example".parse().unwrap()).await.is_err(), "and judged each time");
    }
}
