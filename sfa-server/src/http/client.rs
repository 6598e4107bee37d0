//! Where a request comes from: the network address, and whether another site sent it.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};
use ipnet::IpNet;

use super::ServeOptions;
use super::error::{ApiError, ApiResult};

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who sent a request, as far as the network tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

const FORWARDED_FOR: &str = "x-forwarded-for";
const FETCH_SITE: &str = "sec-fetch-site";

/// The address of the client: the peer itself, or, as long as proxies that we trust hand on, the one before.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = peer.to_canonical();
    // From the right: only what a trusted proxy has added is true.
    let mut hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    while is_trusted(&address) {
        let Some(before) = hops.pop().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) else { break };
        address = before.to_canonical();
    }
    address
}

/// Refuses what another site had a browser send. Who sends a token was not sent by a site, and what changes nothing
/// may come from anywhere.
pub(super) fn make_sure_of_site(
    method: &Method,
    headers: &HeaderMap,
    options: &ServeOptions,
) -> ApiResult<()> {
    if method.is_safe() || headers.contains_key(header::AUTHORIZATION) || is_same_site(headers, options) {
        return Ok(());
    }
    Err(foreign_site())
}

/// Refuses a socket that a page of another site opens: browsers let them, and send the cookies along.
pub(super) fn make_sure_of_origin(headers: &HeaderMap, options: &ServeOptions) -> ApiResult<()> {
    if headers.contains_key(header::ORIGIN) && !is_own_origin(headers, options) {
        return Err(foreign_site());
    }
    Ok(())
}

fn foreign_site() -> ApiError {
    ApiError::new(axum::http::StatusCode::FORBIDDEN, "foreign_site", "another site may not do this")
}

fn is_same_site(headers: &HeaderMap, options: &ServeOptions) -> bool {
    match headers.get(FETCH_SITE).map(|site| site.as_bytes()) {
        Some(b"same-origin" | b"none") => true,
        Some(_) => false,
        // Browsers that do not say this say where a page is from. What says neither is no browser.
        None => !headers.contains_key(header::ORIGIN) || is_own_origin(headers, options),
    }
}

fn is_own_origin(headers: &HeaderMap, options: &ServeOptions) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return false };
    if options.public_url.as_deref().is_some_and(|url| url.trim_end_matches('/') == origin) {
        return true;
    }
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some() && host == text(header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn from(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        address(peer.parse().unwrap(), &headers(&[(FORWARDED_FOR, forwarded)]), &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(from("192.0.2.9", "198.51.100.1", &[]), "192.0.2.9");
        assert_eq!(from("10.0.0.1", "198.51.100.1", &["10.0.0.0/8"]), "198.51.100.1");
        let spoofed = "1.1.1.1, 198.51.100.1, 10.0.0.2";
        assert_eq!(from("10.0.0.1", spoofed, &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(from("10.0.0.1", "nonsense", &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(from("::ffff:10.0.0.1", "2001:db8::1", &["10.0.0.0/8"]), "2001:db8::1");
    }

    #[test]
    fn another_site_changes_nothing() {
        let options =
            ServeOptions { public_url: Some("https://a.example/".to_owned()), ..Default::default() };
        let is_let_in = |pairs: &[(&'static str, &str)]| {
            make_sure_of_site(&Method::POST, &headers(pairs), &options).is_ok()
        };
        for own in [
            &[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")][..],
            &[("origin", "http://127.0.0.1:4000"), ("host", "127.0.0.1:4000")],
            &[("origin", "https://a.example"), ("host", "10.0.0.1:4000")],
            &[("host", "127.0.0.1:4000")],
            &[("sec-fetch-site", "cross-site"), ("authorization", "Bearer x")],
        ] {
            assert!(is_let_in(own), "{own:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site"), ("origin", "https://a.example")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "http://evil.example"), ("host", "127.0.0.1:4000")],
            &[("origin", "null"), ("host", "null")],
            &[("origin", "https://a.example.evil.example"), ("host", "a.example")],
        ] {
            assert!(!is_let_in(foreign), "{foreign:?}");
        }
        assert!(
            make_sure_of_site(&Method::GET, &headers(&[("sec-fetch-site", "cross-site")]), &options).is_ok()
        );
    }
}
