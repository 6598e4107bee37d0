//! Signing in with an account elsewhere, and what is tried against it.

use serde_json::{Value, json};
use sfa_core::library::{Role, UserStatus};

use crate::house::{Answer, Client, House, refused, text};
use crate::provider::{Lie, Provider};

const PUBLIC: &str = "http://songs.example.org";

async fn open(registration: bool) -> (House, Provider) {
    let provider = Provider::open().await;
    let oidc = provider.options();
    let house = House::with(|options| {
        options.oidc = Some(oidc);
        options.public_url = Some(PUBLIC.to_owned());
        options.open_registration = registration;
    })
    .await;
    (house, provider)
}

fn ann() -> Value {
    json!({"sub": "42", "name": "Ann", "email": "ann@elsewhere.example", "email_verified": true})
}

/// Begins a sign-in, and gives the browser with its cookie and where it is to come back to.
async fn went(house: &House, provider: &Provider, person: Value) -> (Client, String) {
    provider.enter(person);
    let browser = house.anybody();
    let begun = browser.get("/api/v1/oidc/begin").await;
    assert_eq!(begun.status, 303, "{begun:?}");
    let back = provider.visit(&begun.header("location")).await;
    assert!(back.starts_with("/api/v1/oidc/callback?"), "{back}");
    (browser.taking_cookie(&begun), back)
}

async fn sign_in(house: &House, provider: &Provider, person: Value) -> Answer {
    let (browser, back) = went(house, provider, person).await;
    browser.get(&back).await
}

async fn who(house: &House, signed_in: &Answer) -> Value {
    assert_eq!(
        (signed_in.status, signed_in.header("location").as_str()),
        (303, "/link/signed-in"),
        "{signed_in:?}"
    );
    house.anybody().taking_cookie(signed_in).get("/api/v1/me").await.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_elsewhere_gets_an_account_once() {
    let (house, provider) = open(true).await;
    let shown = house.anybody().get("/api/v1/server").await.data();
    assert_eq!(shown["signs_in_at"], "127.0.0.1");
    let first = who(&house, &sign_in(&house, &provider, ann()).await).await;
    assert_eq!(
        (&first["name"], &first["email"], &first["role"]),
        (&json!("Ann"), &json!("ann@elsewhere.example"), &json!("user"))
    );
    // What they are called and where mail goes may change; who they are does not.
    let renamed =
        json!({"sub": "42", "name": "Anna", "email": "anna@elsewhere.example", "email_verified": true});
    let again = who(&house, &sign_in(&house, &provider, renamed).await).await;
    assert_eq!((&again["id"], &again["name"]), (&first["id"], &json!("Ann")));
    let other = who(&house, &sign_in(&house, &provider, json!({"sub": "43"})).await).await;
    assert_ne!(other["id"], first["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_no_account_of_somebody_else() {
    let (house, provider) = open(true).await;
    let here = house.user("ann", Role::SuperAdmin).await;
    // The same address, which the provider has not checked: another account, without it.
    let unverified =
        json!({"sub": "7", "name": "Mallory", "email": "ann@example.org", "email_verified": "true"});
    let other = who(&house, &sign_in(&house, &provider, unverified).await).await;
    assert_ne!(other["id"], json!(here.user));
    assert_eq!((&other["email"], &other["role"]), (&Value::Null, &json!("user")));
    // One that it has checked is still no proof of who has the account here.
    let verified = json!({"sub": "8", "email": "ann@example.org", "email_verified": true});
    let answer = sign_in(&house, &provider, verified).await;
    refused(&answer, 409, "conflict");
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_accounts_are_made_by_admins_one_is_linked_by_its_owner() {
    let (house, provider) = open(false).await;
    refused(&sign_in(&house, &provider, ann()).await, 403, "forbidden");
    let here = house.user("ann", Role::Pro).await;
    let begun = here.post("/api/v1/me/identities", json!({})).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let back = provider.visit(&text(&begun.data()["url"])).await;
    let pending = house.anybody().taking_cookie(&begun).headers[0].1.clone();
    // Somebody else's browser, whatever it was given, links nothing.
    let ben = house.user("ben", Role::SuperAdmin).await;
    refused(&ben.with("cookie", &pending).get(&back).await, 403, "forbidden");
    let begun = here.post("/api/v1/me/identities", json!({})).await;
    let back = provider.visit(&text(&begun.data()["url"])).await;
    let pending = house.anybody().taking_cookie(&begun).headers[0].1.clone();
    let linked = here.with("cookie", &pending).get(&back).await;
    assert_eq!((linked.status, linked.header("location").as_str()), (303, "/settings/account"), "{linked:?}");
    let identities = here.get("/api/v1/me/identities").await.data();
    assert_eq!(identities, json!([{"issuer": provider.issuer(), "subject": "42"}]));

    let me = who(&house, &sign_in(&house, &provider, ann()).await).await;
    assert_eq!(me["id"], json!(here.user));
    assert_eq!(here.delete("/api/v1/me/identities").await.status, 204);
    refused(&sign_in(&house, &provider, ann()).await, 403, "forbidden");
    let log = house.user("root", Role::SuperAdmin).await.get("/api/v1/audit").await.data();
    let acts: Vec<String> = log.as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert!(acts.contains(&"user.link".to_owned()) && acts.contains(&"user.unlink".to_owned()), "{acts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_here_is_not_let_in_from_elsewhere() {
    let (house, provider) = open(true).await;
    let id = text(&who(&house, &sign_in(&house, &provider, ann()).await).await["id"]);
    let boss = house.user("boss", Role::SuperAdmin).await;
    for status in [UserStatus::Suspended, UserStatus::Banned] {
        let path = format!("/api/v1/users/{id}/status");
        assert_eq!(boss.json("PUT", &path, json!({"status": status})).await.status, 200);
        let answer = sign_in(&house, &provider, ann()).await;
        refused(&answer, 403, "forbidden");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_without_its_beginning_is_refused() {
    let (house, provider) = open(true).await;
    let not_believed = |answer: &Answer| {
        refused(answer, 400, "not_believed");
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
    };
    let (browser, back) = went(&house, &provider, ann()).await;
    let (other, _) = went(&house, &provider, ann()).await;
    // By a browser that did not begin it, or another time.
    not_believed(&house.anybody().get(&back).await);
    not_believed(&other.get(&back).await);
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    not_believed(&browser.get(&format!("/api/v1/oidc/callback?code={code}")).await);
    not_believed(&browser.get(&format!("/api/v1/oidc/callback?code={code}&state=sfa_0")).await);
    not_believed(&browser.get("/api/v1/oidc/callback").await);
    not_believed(&browser.get(&format!("{back}&iss=https%3A%2F%2Fevil.example")).await);
    let state = back.split("state=").nth(1).unwrap();
    not_believed(&browser.get(&format!("/api/v1/oidc/callback?error=access_denied&state={state}")).await);
    // None of it has used the code up.
    who(&house, &browser.get(&back).await).await;
    // Once.
    not_believed(&browser.get(&back).await);
    // A person is told so, not a program.
    let page = browser.with("accept", "text/html,*/*;q=0.8").get(&back).await;
    assert_eq!((page.status, page.header("content-type").as_str()), (400, "text/html; charset=utf-8"));
    assert!(String::from_utf8_lossy(&page.body).contains("used already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_what_it_should_be_opens_nothing() {
    let (house, provider) = open(true).await;
    let lies: [(&str, Lie); 9] = [
        ("another nonce", |claims| claims["nonce"] = json!("x")),
        ("no nonce", |claims| claims["nonce"] = Value::Null),
        ("another program", |claims| claims["aud"] = json!("other")),
        ("another program too", |claims| claims["aud"] = json!(["sfa", "other"])),
        ("another issuer", |claims| claims["iss"] = json!("https://evil.example")),
        ("over", |claims| claims["exp"] = json!(1_000_000_000)),
        ("over, as a text", |claims| claims["exp"] = json!("99999999999")),
        ("from the future", |claims| claims["iat"] = json!(99_999_999_999_i64)),
        ("nobody", |claims| claims["sub"] = json!("")),
    ];
    let headers: [(&str, Lie); 5] = [
        ("signed by nobody", |header| header["alg"] = json!("none")),
        ("signed by nobody, quietly", |header| *header = json!({"alg": "none"})),
        ("signed with what all know", |header| header["alg"] = json!("HS256")),
        ("another way of signing", |header| header["alg"] = json!("RS256")),
        ("a key that there is not", |header| header["kid"] = json!("other")),
    ];
    let mut wrong = Vec::new();
    let mut check = |what: &str, answer: Answer| {
        let is_refused = answer.status == 400 && !answer.headers.contains_key("set-cookie");
        if !is_refused {
            wrong.push(format!("{what}: {answer:?}"));
        }
    };
    for (what, lie) in lies {
        provider.lie(lie);
        check(what, sign_in(&house, &provider, ann()).await);
    }
    provider.tell_the_truth();
    for (what, lie) in headers {
        provider.lie_in_headers(lie);
        check(what, sign_in(&house, &provider, ann()).await);
    }
    provider.tell_the_truth();
    provider.forge();
    check("somebody else's key", sign_in(&house, &provider, ann()).await);
    assert!(wrong.is_empty(), "{wrong:#?}");
    provider.tell_the_truth();
    who(&house, &sign_in(&house, &provider, ann()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_may_be_replaced_at_any_time() {
    let (house, provider) = open(true).await;
    let first = who(&house, &sign_in(&house, &provider, ann()).await).await;
    provider.replace_key();
    let again = who(&house, &sign_in(&house, &provider, ann()).await).await;
    assert_eq!(first["id"], again["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_keeps_nobody_else_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let house = House::with(|options| {
        let (client_id, client_secret) = ("sfa".to_owned(), Some("canary".to_owned()));
        options.oidc = Some(sfa_server::http::OidcOptions { issuer, client_id, client_secret });
        options.public_url = Some(PUBLIC.to_owned());
    })
    .await;
    let answer = house.anybody().get("/api/v1/oidc/begin").await;
    refused(&answer, 502, "provider_unavailable");
    assert_eq!(house.user("ann", Role::User).await.get("/api/v1/me").await.status, 200);
    let nowhere = House::open().await;
    refused(&nowhere.anybody().get("/api/v1/oidc/begin").await, 409, "no_provider");
    assert!(nowhere.anybody().get("/api/v1/server").await.data().get("signs_in_at").is_none());
}
